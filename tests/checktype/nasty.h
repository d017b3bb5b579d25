/* The other half of what C allows: unions, bit-fields, flexible arrays; nasty.types.c is what
 * hmf-checktype makes of this. */
#ifndef NASTY_H
#define NASTY_H

#include <hmf/checktype.h>
#include <stdbool.h>
#include <stdint.h>

enum kind { KIND_INT = 1, KIND_REAL, KIND_TEXT, KIND_LIST, KIND_PAIR, KIND_NUMBERS };

struct value;

checktype typedef struct value {
    enum kind kind;
    int n;
    union {
        int i HMF_CASE(KIND_INT);
        double d HMF_CASE(KIND_REAL);
        char *text HMF_CASE(KIND_TEXT) HMF_STRING;
        struct value *list HMF_CASE(KIND_LIST);
        struct {
            short a, b;
        } pair HMF_CASE(KIND_PAIR);
        double *numbers HMF_CASE(KIND_NUMBERS) HMF_LEN(n);
    } u HMF_SWITCH(kind);
    struct value *next;
} value_t;

/* Anonymous members in each other. */
checktype typedef struct event {
    unsigned char what;
    union {
        long code HMF_CASE(1, 2);
        struct {
            float x, y;
        } HMF_CASE(3);
        uint64_t other HMF_DEFAULT;
    } HMF_SWITCH(what);
    struct {
        int first;
        struct {
            int second;
        };
    };
} event_t;

checktype typedef struct flags {
    unsigned small : 3, medium : 11;
    unsigned : 0;
    signed int negative : 7;
    unsigned long long wide : 40;
    int : 5;
    bool on : 1;
    char after;
    unsigned last : 1;
} flags_t;

checktype typedef struct message {
    uint32_t length;
    char tag;
    struct {
        char key;
        double value;
    } items[] HMF_LEN(length);
} message_t;

checktype typedef struct pack {
    short npairs;
    float pairs[] HMF_LEN(2 * npairs);
} pack_t;

struct ping; /* mutually recursive, by way of a typedef */
typedef struct ping ping_t;
typedef struct pong {
    ping_t *other;
    message_t *message;
    pack_t *pack;
} pong_t;
struct ping {
    pong_t *other;
    event_t events[2];
    flags_t flags;
};

extern checktype value_t nasty_value;
extern checktype ping_t nasty_ping;

#endif
