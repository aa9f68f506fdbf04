/* cmd_simulate.c -- millrace simulate: an API that is always there. */
#include "base/env.h"
#include "base/text.h"
#include "main/command.h"
#include "simulate/simulate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option options[] = {
    { "listen", "listen", 0, MR_OPTION_TEXT, "HOST:PORT", "127.0.0.1:8000", NULL,
      "where it answers; port 0: any free one" },
    { "seed", "seed", 0, MR_OPTION_TEXT, "TEXT", "millrace", NULL, "the same seed gives the same people" },
    { "latency", "latency", 0, MR_OPTION_DURATION, "DURATION", "0ms", NULL, "let every answer wait so long" },
    { "fail", "fail", 0, MR_OPTION_TEXT, "PERCENT", "0%", NULL,
      "let this share of the requests fail: some with 500, some cut off, some slow" },
    { "ready-fd", "ready-fd", 0, MR_OPTION_INTEGER, "N", NULL, NULL,
      "write one line of JSON with the url to this descriptor once it answers, then close it" },
};

static enum mr_status parse_percent(const char *text, double *out, struct mr_err *err)
{
    size_t length = strlen(text);

    if (length > 0 && text[length - 1] == '%')
        length--;
    if (mr_parse_f64((struct mr_str){ text, length }, out) != MR_OK || *out < 0 || *out > 100)
        return mr_err_set(err, MR_INVALID, "--fail: \"%s\" is no share between 0%% and 100%%", text);
    return MR_OK;
}

static void tell_ready(const struct mr_config *config, const char *address)
{
    int fd = (int)mr_config_integer(config, "ready-fd");
    char line[512];
    int length = snprintf(line, sizeof(line), "{\"url\":\"http://%s/api/\"}\n", address);

    printf("Random User API, simulated: http://%s/api/?results=10\n", address);
    fflush(stdout);
    if (mr_config_text(config, "ready-fd") == NULL)
        return;
    if (write(fd, line, (size_t)length) != length)
        command_error("--ready-fd %d can't be written", fd);
    close(fd);
}

static int simulate(struct mr_config *config, struct simulate_options *simulate_options)
{
    struct net_loop *loop = NULL;
    struct simulate_server *server = NULL;
    struct mr_err err = MR_ERR_INIT;
    sigset_t signals;
    int number;
    enum mr_status status;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    status = net_loop_new(&loop, "simulate", &err);
    if (status == MR_OK)
        status = simulate_randomuser_open(&server, loop, simulate_options, &err);
    if (status == MR_OK) {
        net_loop_start(loop);
        tell_ready(config, simulate_server_text(server));
        sigwait(&signals, &number);
        net_loop_stop(loop);
    } else {
        command_error("%s", err.text);
    }
    simulate_server_close(server);
    net_loop_free(loop);
    return command_exit_of(status);
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    struct simulate_options simulate_options = {
        .listen = mr_config_text(config, "listen"),
        .seed = mr_config_text(config, "seed"),
        .latency_ms = mr_config_integer(config, "latency"),
    };
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(rest_count);
    if (strcmp(rest[0], "randomuser") != 0) {
        command_error("there is no simulated API \"%s\"; there is: randomuser", rest[0]);
        return EXIT_USAGE;
    }
    if (parse_percent(mr_config_text(config, "fail"), &simulate_options.fail_percent, &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_USAGE;
    }
    return simulate(config, &simulate_options);
}

const struct command command_simulate = {
    .name = "simulate",
    .summary = "Answer as a public API does, without a network",
    .usage = "millrace simulate randomuser [OPTION...]",
    .text = "randomuser: the Random User API, contract 1.4, with its parameters results, page, seed, nat, gender, inc, "
            "exc,\n"
            "format, noinfo and password.",
    .example = "  millrace simulate randomuser --seed demo --fail 5%",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 1,
    .rest_max = 1,
    .run = run,
};
