/* Fields of lines (see hmf_line.h): for what our own library writes, so no general reader of JSON. */
#include "config.h"

#include "hmf_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the value of `key` begins; NULL: not there. Keys inside texts are escaped, so a bare "key": is one. */
static const char *value_of(const char *line, const char *key)
{
    char want[48];
    const char *p;

    snprintf(want, sizeof want, "\"%.40s\":", key);
    p = strstr(line, want);
    return p ? p + strlen(want) : NULL;
}

const char *hmf_line_field(const char *line, const char *key, char *out, size_t len)
{
    const char *p = value_of(line, key);
    size_t n = 0;

    out[0] = 0;
    if (!p)
        return out;
    if (*p == '"') {
        for (p++; *p && *p != '"' && n + 1 < len; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            out[n++] = *p;
        }
    } else if (*p == '[') {
        while (*p && *p != ']' && n + 2 < len)
            out[n++] = *p++;
        out[n++] = ']';
    } else {
        while (*p && *p != ',' && *p != '}' && *p != '\n' && n + 1 < len)
            out[n++] = *p++;
    }
    out[n] = 0;
    return out;
}

double hmf_line_number(const char *line, const char *key)
{
    const char *p = value_of(line, key);

    return p ? strtod(p, NULL) : 0;
}

const char *hmf_line_word(const char *line, const char *key, char *out, size_t len)
{
    size_t n = strlen(key);

    out[0] = 0;
    for (const char *p = line; *p && *p != '\n'; p += strspn(p, " ")) {
        size_t word = strcspn(p, " \n");
        if (word == n && !strncmp(p, key, n) && p[n] == ' ') {
            snprintf(out, len, "%.*s", (int)strcspn(p + n + 1, " \n"), p + n + 1);
            return out;
        }
        p += word;
    }
    return out;
}
