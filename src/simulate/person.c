/* person.c -- one person, from a seed and a number.
 *
 * Everything is drawn in one fixed order from the person's own chance, also what a request leaves out: so the same
 * person has the same phone whether or not the login was asked for.  Ages are counted at a fixed day, so that the bytes
 * do not change with the calendar. */
#include "simulate/simulate_int.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PERSON_WORD_BYTES = 160,
    PERSON_DAY_MS = 86400000,
};

static const int64_t person_today_ms = 1767225600000; /* 2026-01-01 */

const char *const simulate_field_names[SIMULATE_FIELDS] = { "gender", "name", "location",   "email",
                                                            "login",  "dob",  "registered", "phone",
                                                            "cell",   "id",   "picture",    "nat" };

struct simulate_chance simulate_chance_of(struct mr_str seed, uint64_t index)
{
    struct simulate_chance chance = { .state =
                                          0xcbf29ce484222325u }; /* FNV-1a: stored nowhere, but the same for ever */

    for (size_t i = 0; i < seed.size; i++)
        chance.state = (chance.state ^ (uint8_t)seed.data[i]) * 0x100000001b3u;
    chance.state = simulate_chance_next(&chance) + index;
    /* Mixed, so that neighbours start far apart: the generator itself only steps its state. */
    chance.state = simulate_chance_next(&chance);
    return chance;
}

uint64_t simulate_chance_next(struct simulate_chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t simulate_chance_below(struct simulate_chance *chance, uint64_t limit)
{
    return simulate_chance_next(chance) % limit;
}

const struct simulate_place *simulate_place_at(size_t index)
{
    static const struct simulate_place *const places[SIMULATE_PLACES] = {
        &simulate_places_west[0],  &simulate_places_west[1],  &simulate_places_west[2],  &simulate_places_north[0],
        &simulate_places_north[1], &simulate_places_north[2], &simulate_places_south[0], &simulate_places_north[3],
        &simulate_places_south[1], &simulate_places_north[4], &simulate_places_west[3],  &simulate_places_south[2],
        &simulate_places_south[3], &simulate_places_west[4],  &simulate_places_north[5], &simulate_places_north[6],
        &simulate_places_west[5],  &simulate_places_south[4], &simulate_places_south[5], &simulate_places_south[6],
        &simulate_places_west[6],
    };

    assert(index < SIMULATE_PLACES);
    return places[index];
}

void simulate_wish_init(struct simulate_wish *wish)
{
    *wish = (struct simulate_wish){ .fields = (1u << SIMULATE_FIELDS) - 1, .places = (1u << SIMULATE_PLACES) - 1 };
}

/* Appends one of LIST's words to OUT. */
static void pick(struct simulate_chance *chance, const char *list, char out[PERSON_WORD_BYTES])
{
    size_t count = 1;
    uint64_t which;
    size_t have = strlen(out);

    for (const char *at = list; *at; at++)
        count += *at == '|';
    which = simulate_chance_below(chance, count);
    while (which-- > 0)
        list = strchr(list, '|') + 1;
    snprintf(out + have, PERSON_WORD_BYTES - have, "%.*s", (int)strcspn(list, "|"), list);
}

static void fill_format(struct simulate_chance *chance, const char *format, char out[PERSON_WORD_BYTES])
{
    size_t size = 0;

    for (; *format && size < PERSON_WORD_BYTES - 1; format++, size++) {
        if (*format == '9')
            out[size] = (char)('0' + simulate_chance_below(chance, 10));
        else if (*format == '1')
            out[size] = (char)('1' + simulate_chance_below(chance, 9));
        else if (*format == 'A')
            out[size] = (char)('A' + simulate_chance_below(chance, 26));
        else
            out[size] = *format;
    }
    out[size] = '\0';
}

static void emit_name(struct simulate_emit *emit, struct simulate_chance *chance, const struct simulate_place *place,
                      bool is_male, bool shown, char first[PERSON_WORD_BYTES], char last[PERSON_WORD_BYTES])
{
    const char *titles = place->titles ? place->titles : "Mr|Miss|Ms|Mrs";
    char title[PERSON_WORD_BYTES] = "";

    first[0] = last[0] = '\0';
    if (is_male)
        snprintf(title, sizeof(title), "%.*s", (int)strcspn(titles, "|"), titles);
    else
        pick(chance, strchr(titles, '|') + 1, title);
    pick(chance, is_male ? place->men : place->women, first);
    pick(chance, place->last_fronts, last);
    pick(chance, place->last_stems, last);
    pick(chance, place->last_ends, last);
    if (!shown)
        return;
    simulate_emit_open(emit, "name", false);
    simulate_emit_text(emit, "title", title);
    simulate_emit_text(emit, "first", first);
    simulate_emit_text(emit, "last", last);
    simulate_emit_close(emit);
}

static void emit_place(struct simulate_emit *emit, struct simulate_chance *chance, const struct simulate_place *place,
                       bool shown)
{
    static const char *const zones[][2] = {
        { "-11:00", "Midway Island, Samoa" },
        { "-10:00", "Hawaii" },
        { "-9:00", "Alaska" },
        { "-8:00", "Pacific Time (US & Canada)" },
        { "-7:00", "Mountain Time (US & Canada)" },
        { "-6:00", "Central Time (US & Canada), Mexico City" },
        { "-5:00", "Eastern Time (US & Canada), Bogota, Lima" },
        { "-4:00", "Atlantic Time (Canada), Caracas, La Paz" },
        { "-3:30", "Newfoundland" },
        { "-3:00", "Brazil, Buenos Aires, Georgetown" },
        { "-2:00", "Mid-Atlantic" },
        { "-1:00", "Azores, Cape Verde Islands" },
        { "0:00", "Western Europe Time, London, Lisbon, Casablanca" },
        { "+1:00", "Brussels, Copenhagen, Madrid, Paris" },
        { "+2:00", "Kaliningrad, South Africa" },
        { "+3:00", "Baghdad, Riyadh, Moscow, St. Petersburg" },
        { "+3:30", "Tehran" },
        { "+4:00", "Abu Dhabi, Muscat, Baku, Tbilisi" },
        { "+5:30", "Bombay, Calcutta, Madras, New Delhi" },
        { "+5:45", "Kathmandu" },
        { "+7:00", "Bangkok, Hanoi, Jakarta" },
        { "+8:00", "Beijing, Perth, Singapore, Hong Kong" },
        { "+9:00", "Tokyo, Seoul, Osaka, Sapporo, Yakutsk" },
        { "+10:00", "Eastern Australia, Guam, Vladivostok" },
    };
    char street[PERSON_WORD_BYTES] = "", city[PERSON_WORD_BYTES] = "", state[PERSON_WORD_BYTES] = "";
    char postcode[PERSON_WORD_BYTES], latitude[32], longitude[32];
    int64_t number = 1 + (int64_t)simulate_chance_below(chance, 9999);
    int64_t north = (int64_t)simulate_chance_below(chance, 1800001) - 900000;
    int64_t east = (int64_t)simulate_chance_below(chance, 3600001) - 1800000;
    const char *const *zone = zones[simulate_chance_below(chance, MR_COUNT(zones))];

    pick(chance, place->streets, street);
    pick(chance, place->cities, city);
    pick(chance, place->states, state);
    fill_format(chance, place->postcode, postcode);
    snprintf(latitude, sizeof(latitude), "%.4f", (double)north / 10000);
    snprintf(longitude, sizeof(longitude), "%.4f", (double)east / 10000);
    if (!shown)
        return;
    simulate_emit_open(emit, "location", false);
    simulate_emit_open(emit, "street", false);
    simulate_emit_int(emit, "number", number);
    simulate_emit_text(emit, "name", street);
    simulate_emit_close(emit);
    simulate_emit_text(emit, "city", city);
    simulate_emit_text(emit, "state", state);
    simulate_emit_text(emit, "country", place->country);
    if (place->postcode_is_text)
        simulate_emit_text(emit, "postcode", postcode);
    else
        simulate_emit_int(emit, "postcode", strtoll(postcode, NULL, 10));
    simulate_emit_open(emit, "coordinates", false);
    simulate_emit_text(emit, "latitude", latitude);
    simulate_emit_text(emit, "longitude", longitude);
    simulate_emit_close(emit);
    simulate_emit_open(emit, "timezone", false);
    simulate_emit_text(emit, "offset", zone[0]);
    simulate_emit_text(emit, "description", zone[1]);
    simulate_emit_close(emit);
    simulate_emit_close(emit);
}

static void emit_digest(struct simulate_emit *emit, const char *key, const EVP_MD *kind, const char *text)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    int done = EVP_Digest(text, strlen(text), digest, &size, kind, NULL);

    assert(done == 1);
    MR_UNUSED(done);
    for (unsigned i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    simulate_emit_text(emit, key, hex);
}

static void emit_login(struct simulate_emit *emit, struct simulate_chance *chance, const struct simulate_wish *wish,
                       bool shown)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char user[PERSON_WORD_BYTES] = "", password[PERSON_WORD_BYTES] = "", salt[9], uuid_text[37], salted[200];
    uint64_t high = simulate_chance_next(chance);
    uint64_t low = simulate_chance_next(chance);
    struct simulate_chance own = { .state = simulate_chance_next(chance) };
    uint8_t uuid[16];

    mr_store_i64(uuid, (int64_t)high);
    mr_store_i64(uuid + 8, (int64_t)low);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    mr_uuid_format(uuid_text, uuid);
    pick(chance,
         "organic|lazy|big|silver|sad|happy|white|brown|green|golden|red|purple|blue|tiny|heavy|quick|angry|yellow",
         user);
    pick(chance,
         "peacock|elephant|bird|fish|panda|bear|koala|duck|lion|goose|swan|frog|rabbit|wolf|tiger|otter|heron|mouse",
         user);
    snprintf(user + strlen(user), sizeof(user) - strlen(user), "%d", 100 + (int)simulate_chance_below(chance, 900));
    pick(chance,
         "harper|robin|florence|yellow|palmtree|stream|jump|ring|laurel|marble|walnut|tundra|velvet|saturn|anchor|"
         "copper|maple|pepper",
         password);
    for (int i = 0; i < 8; i++)
        salt[i] = letters[simulate_chance_below(chance, sizeof(letters) - 1)];
    salt[8] = '\0';
    if (wish->charset[0] != '\0') {
        int length = wish->password_min +
                     (int)simulate_chance_below(&own, (uint64_t)(wish->password_max - wish->password_min) + 1);
        for (int i = 0; i < length; i++)
            password[i] = wish->charset[simulate_chance_below(&own, strlen(wish->charset))];
        password[length] = '\0';
    }
    if (!shown)
        return;
    snprintf(salted, sizeof(salted), "%s%s", password, salt);
    simulate_emit_open(emit, "login", false);
    simulate_emit_text(emit, "uuid", uuid_text);
    simulate_emit_text(emit, "username", user);
    simulate_emit_text(emit, "password", password);
    simulate_emit_text(emit, "salt", salt);
    emit_digest(emit, "md5", EVP_md5(), salted);
    emit_digest(emit, "sha1", EVP_sha1(), salted);
    emit_digest(emit, "sha256", EVP_sha256(), salted);
    simulate_emit_close(emit);
}

static void emit_date(struct simulate_emit *emit, struct simulate_chance *chance, const char *key, int years_min,
                      int years_max, bool shown)
{
    int64_t days_min = (int64_t)years_min * 36525 / 100 + 1;
    int64_t days_max = (int64_t)years_max * 36525 / 100;
    int64_t ago_ms = days_min * PERSON_DAY_MS +
                     (int64_t)simulate_chance_below(chance, (uint64_t)((days_max - days_min) * PERSON_DAY_MS));
    char text[40];
    size_t size = mr_format_time_ms(text, person_today_ms - ago_ms, 'T');

    snprintf(text + size, sizeof(text) - size, "Z");
    if (!shown)
        return;
    simulate_emit_open(emit, key, false);
    simulate_emit_text(emit, "date", text);
    simulate_emit_int(emit, "age", ago_ms / PERSON_DAY_MS * 100 / 36525);
    simulate_emit_close(emit);
}

static void emit_picture(struct simulate_emit *emit, struct simulate_chance *chance, bool is_male, bool shown)
{
    static const char *const kinds[][2] = { { "large", "" }, { "medium", "med/" }, { "thumbnail", "thumb/" } };
    int number = (int)simulate_chance_below(chance, is_male ? 100 : 97);
    char url[PERSON_WORD_BYTES];

    if (!shown)
        return;
    simulate_emit_open(emit, "picture", false);
    for (size_t i = 0; i < MR_COUNT(kinds); i++) {
        snprintf(url, sizeof(url), "https://randomuser.me/api/portraits/%s%s/%d.jpg", kinds[i][1],
                 is_male ? "men" : "women", number);
        simulate_emit_text(emit, kinds[i][0], url);
    }
    simulate_emit_close(emit);
}

static const struct simulate_place *choose_place(struct simulate_chance *chance, uint32_t places)
{
    uint64_t which = simulate_chance_below(chance, (uint64_t)__builtin_popcount(places));
    size_t index = 0;

    for (;; index++) {
        if ((places >> index & 1) != 0 && which-- == 0)
            return simulate_place_at(index);
    }
}

void simulate_person_emit(struct simulate_emit *emit, struct mr_str seed, uint64_t index,
                          const struct simulate_wish *wish)
{
    struct simulate_chance chance = simulate_chance_of(seed, index);
    const struct simulate_place *place = choose_place(&chance, wish->places);
    bool is_male = wish->gender != 0 ? wish->gender == 1 : false;
    uint64_t coin = simulate_chance_below(&chance, 2);
    char first[PERSON_WORD_BYTES], last[PERSON_WORD_BYTES], text[PERSON_WORD_BYTES * 2 + 32], number[PERSON_WORD_BYTES];
    char first_ascii[64], last_ascii[64];
#define SHOWN(field) ((wish->fields >> (field)&1) != 0)

    if (wish->gender == 0)
        is_male = coin == 1;
    simulate_emit_open(emit, NULL, false);
    if (SHOWN(SIMULATE_GENDER))
        simulate_emit_text(emit, "gender", is_male ? "male" : "female");
    emit_name(emit, &chance, place, is_male, SHOWN(SIMULATE_NAME), first, last);
    emit_place(emit, &chance, place, SHOWN(SIMULATE_LOCATION));
    simulate_ascii(first, first_ascii, sizeof(first_ascii));
    simulate_ascii(last, last_ascii, sizeof(last_ascii));
    snprintf(text, sizeof(text), "%s.%s@example.com", first_ascii, last_ascii);
    if (SHOWN(SIMULATE_EMAIL))
        simulate_emit_text(emit, "email", text);
    emit_login(emit, &chance, wish, SHOWN(SIMULATE_LOGIN));
    emit_date(emit, &chance, "dob", 24, 81, SHOWN(SIMULATE_DOB));
    emit_date(emit, &chance, "registered", 3, 23, SHOWN(SIMULATE_REGISTERED));
    fill_format(&chance, place->phone, number);
    if (SHOWN(SIMULATE_PHONE))
        simulate_emit_text(emit, "phone", number);
    fill_format(&chance, place->cell, number);
    if (SHOWN(SIMULATE_CELL))
        simulate_emit_text(emit, "cell", number);
    fill_format(&chance, place->id_value ? place->id_value : "", number);
    if (SHOWN(SIMULATE_ID)) {
        simulate_emit_open(emit, "id", false);
        simulate_emit_text(emit, "name", place->id_name);
        simulate_emit_text(emit, "value", place->id_value ? number : NULL);
        simulate_emit_close(emit);
    }
    emit_picture(emit, &chance, is_male, SHOWN(SIMULATE_PICTURE));
    if (SHOWN(SIMULATE_NAT))
        simulate_emit_text(emit, "nat", place->nat);
    simulate_emit_close(emit);
#undef SHOWN
}

void simulate_person_json(struct mr_str seed, uint64_t index, struct mr_writer *out)
{
    struct simulate_emit emit = { .format = SIMULATE_JSON, .out = out };
    struct simulate_wish wish;

    simulate_wish_init(&wish);
    simulate_person_emit(&emit, seed, index, &wish);
}
