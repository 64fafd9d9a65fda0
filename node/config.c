/* The XDG places, or one folder when --home or KITH_HOME says so. */
#include "node/config.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/digest.h"

enum {
    CONFIG_SOCKET_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
    CONFIG_COLUMNS_MAX = 1000
};

const char *config_env(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

__attribute__((format(printf, 3, 4))) static bool config_format(char *out, size_t size,
                                                                const char *format, ...)
{
    va_list arguments;
    int count;

    va_start(arguments, format);
    count = vsnprintf(out, size, format, arguments);
    va_end(arguments);
    return count >= 0 && (size_t)count < size;
}

/* A relative home is made absolute, so that a socket's hashed name does not depend on where a
 * command is typed. */
static bool config_absolute(const char *path, char *out, size_t size)
{
    char here[CONFIG_PATH_MAX];

    if (path[0] == '/')
        return config_format(out, size, "%s", path);
    if (getcwd(here, sizeof here) == NULL)
        return false;
    return config_format(out, size, "%s/%s", here, path);
}

/* A path too long for a socket gets a hashed name in the runtime folder. */
static enum err config_socket(struct config_places *places)
{
    char shorter[CONFIG_PATH_MAX];
    struct span home = span_str(places->home);
    struct hash hash;
    char name[17];

    if (!config_format(shorter, sizeof shorter, "%s/node.sock", places->home))
        return ERR_LIMIT;
    if (strlen(shorter) > CONFIG_SOCKET_MAX) {
        digest("kith socket", &home, 1, &hash);
        hex_write(span_of(hash.bytes, 8), name);
        if (!config_format(shorter, sizeof shorter, "%s/%s.sock", places->runtime, name) ||
            strlen(shorter) > CONFIG_SOCKET_MAX)
            return ERR_LIMIT;
    }
    memcpy(places->socket, shorter, strlen(shorter) + 1);
    return ERR_OK;
}

enum err config_places(const struct config *config, struct config_places *out)
{
    const char *chosen = config->home != NULL ? config->home : config_env("KITH_HOME");
    const char *runtime = config_env("XDG_RUNTIME_DIR");
    const char *data = config_env("XDG_DATA_HOME");
    const char *user = config_env("HOME");
    bool fits;

    if (chosen != NULL)
        fits = config_absolute(chosen, out->home, sizeof out->home);
    else if (data != NULL && data[0] == '/')
        fits = config_format(out->home, sizeof out->home, "%s/kith", data);
    else if (user != NULL)
        fits = config_format(out->home, sizeof out->home, "%s/.local/share/kith", user);
    else
        return ERR_INVALID;
    if (!fits)
        return ERR_LIMIT;
    if (runtime != NULL && runtime[0] == '/')
        fits = config_format(out->runtime, sizeof out->runtime, "%s/kith", runtime);
    else
        fits =
            config_format(out->runtime, sizeof out->runtime, "/tmp/kith-%u", (unsigned)geteuid());
    if (!fits)
        return ERR_LIMIT;
    return config_socket(out);
}

bool config_wants_colour(const struct config *config, int descriptor)
{
    const char *terminal = config_env("TERM");
    const char *colour = config_env("CLICOLOR");

    if (config->colour != CONFIG_COLOUR_AUTO)
        return config->colour == CONFIG_COLOUR_ALWAYS;
    if (!isatty(descriptor) || config_env("NO_COLOR") != NULL)
        return false;
    if (terminal == NULL || strcmp(terminal, "dumb") == 0)
        return false;
    return colour == NULL || strcmp(colour, "0") != 0;
}

unsigned config_columns(void)
{
    const char *text = config_env("COLUMNS");
    char *end = NULL;
    long columns = text != NULL ? strtol(text, &end, 10) : 0;

    return text != NULL && *end == '\0' && columns > 0 && columns <= CONFIG_COLUMNS_MAX
               ? (unsigned)columns
               : 0;
}

bool config_may_prompt(const struct config *config)
{
    return !config->no_input && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

const char *config_login_name(void)
{
    const char *name = config_env("LOGNAME");

    if (name == NULL)
        name = config_env("USER");
    if (name == NULL) { /* A service or a container may say neither. */
        const struct passwd *user = getpwuid(geteuid());

        name = user != NULL && user->pw_name[0] != '\0' ? user->pw_name : "me";
    }
    return name;
}
