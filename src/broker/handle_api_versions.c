/* handle_api_versions.c -- tells what is served, from the table that serves it.
 *
 * A version that is not known (kafka-clients and franz-go begin with 5) gets error 35 in the body of version 0 with
 * ApiVersions' own range; the client then asks again on the same connection. */
#include "broker/broker_int.h"

static bool name_is_legal(struct mr_str name)
{
    if (name.size == 0)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool is_inside = i > 0 && i + 1 < name.size;

        if (!is_word && !(is_inside && (c == '-' || c == '.')))
            return false;
    }
    return true;
}

void broker_handle_api_versions(struct broker_request *request)
{
    const struct kafka_api_versions_request *in = request->request;
    struct kafka_api_versions_response *out = request->response;
    int16_t version = request->header.api_version;
    size_t count;
    const struct broker_api *apis = broker_apis(&count);

    out->api_keys = MR_ARENA_ARRAY(request->arena, struct kafka_api_versions_response_api, count);
    if (version > request->api->version_max) {
        out->error_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
        out->api_keys[0] = (struct kafka_api_versions_response_api){ request->api->key, request->api->version_min,
                                                                     request->api->version_max };
        out->api_keys_count = 1;
    } else if (version >= 3 &&
               (!name_is_legal(in->client_software_name) || !name_is_legal(in->client_software_version))) {
        out->error_code = KAFKA_ERROR_INVALID_REQUEST;
    } else {
        for (size_t i = 0; i < count; i++)
            out->api_keys[i] =
                (struct kafka_api_versions_response_api){ apis[i].key, apis[i].version_min, apis[i].version_max };
        out->api_keys_count = (int32_t)count;
    }
    broker_request_done(request);
}
