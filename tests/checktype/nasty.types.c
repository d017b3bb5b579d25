/* Descriptions of the types in nasty.h, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include "nasty.h"
#include <hmf/checktype.h>
#include <stddef.h>

typedef __typeof__(((struct value *)0)->u) hmf_t_value_u;
typedef __typeof__(((struct message *)0)->items[0]) hmf_t_message_items;
typedef __typeof__(((hmf_t_value_u *)0)->pair) hmf_t_value_u_pair;

enum {
    HMF_TYPE_value = 1262662271,
    HMF_TYPE_event = 1288045927,
    HMF_TYPE_flags = 2076112772,
    HMF_TYPE_message = 1606266580,
    HMF_TYPE_pack = 1471005291,
    HMF_TYPE_ping = 1563826009,
    HMF_TYPE_message_items = 1870241894,
    HMF_TYPE_pong = 1237722763,
    HMF_TYPE_value_u_pair = 1150173532
};

/* struct value, nasty.h */
static const int hmf_desc_value[] = {
    -4,
    typeENUM,
    typeINT,
    typeUNION, 0, 6, (int)(KIND_INT), typeINT, (int)(KIND_REAL), typeDOUBLE, (int)(KIND_TEXT),
        typePOINTER, typeCSTRING, (int)(KIND_LIST), typePOINTER, HMF_TYPE_value,
        (int)(KIND_PAIR), HMF_TYPE_value_u_pair, (int)(KIND_NUMBERS), typeCOUNTED, 1, typeDOUBLE,
    typePOINTER, HMF_TYPE_value,
};
static const char *const hmf_fields_value[] = {
    "kind", "n", "u", "i", "d", "text", "list", "pair", "numbers", "next", NULL
};
static const size_t hmf_offsets_value[] = {
    offsetof(struct value, kind),
    offsetof(struct value, n),
    offsetof(struct value, u),
    offsetof(struct value, next),
};
HMF_ASSERT_(value_n, HMF_NEXT_(struct value, kind, n));
HMF_ASSERT_(value_u, HMF_NEXT_(struct value, n, u));
HMF_ASSERT_(value_next, HMF_NEXT_(struct value, u, next));
HMF_ASSERT_(value, HMF_LAST_(struct value, next));

/* struct event, nasty.h */
static const int hmf_desc_event[] = {
    -4,
    typeUCHAR,
    typeUNIONELSE, 0, 3, (int)(1), typeLONG, (int)(2), typeLONG, (int)(3), -2, typeFLOAT,
        typeFLOAT, typeUINT64,
    typeINT,
    typeINT,
};
static const char *const hmf_fields_event[] = {
    "what", "", "code", "code", "", "x", "y", "other", "first", "second", NULL
};
static const size_t hmf_offsets_event[] = {
    offsetof(struct event, what),
    offsetof(struct event, code),
    offsetof(struct event, first),
    offsetof(struct event, second),
};
HMF_ASSERT_(event_second, HMF_NEXT_(struct event, first, second));
HMF_ASSERT_(event, HMF_LAST_(struct event, second));

/* struct flags, nasty.h */
static const int hmf_desc_flags[] = {
    -9,
    typeBITS, 3, typeUINT,
    typeBITS, 11, typeUINT,
    typeBITS, 0, typeUINT,
    typeBITS, 7, typeINT,
    typeBITS, 40, typeULLONG,
    typeBITS, -5, typeINT,
    typeBITS, 1, typeBOOL,
    typeCHAR,
    typeBITS, 1, typeUINT,
};
static const char *const hmf_fields_flags[] = {
    "small", "medium", "", "negative", "wide", "", "on", "after", "last", NULL
};
static const size_t hmf_offsets_flags[] = {
    HMF_TYPE_BITS_OFFSET,
    HMF_TYPE_BITS_OFFSET,
    HMF_TYPE_BITS_OFFSET,
    HMF_TYPE_BITS_OFFSET,
    HMF_TYPE_BITS_OFFSET,
    HMF_TYPE_BITS_OFFSET,
    HMF_TYPE_BITS_OFFSET,
    offsetof(struct flags, after),
    HMF_TYPE_BITS_OFFSET,
};

/* struct message, nasty.h */
static const int hmf_desc_message[] = {
    -3,
    typeUINT32,
    typeCHAR,
    typeFLEX, 0, HMF_TYPE_message_items,
};
static const char *const hmf_fields_message[] = {
    "length", "tag", "items", NULL
};
static const size_t hmf_offsets_message[] = {
    offsetof(struct message, length),
    offsetof(struct message, tag),
    offsetof(struct message, items),
};
HMF_ASSERT_(message_tag, HMF_NEXT_(struct message, length, tag));

/* struct pack, nasty.h */
static const int hmf_desc_pack[] = {
    -2,
    typeSHORT,
    typeFLEX, 0, typeARRAY, (int)(2), typeFLOAT,
};
static const char *const hmf_fields_pack[] = {
    "npairs", "pairs", NULL
};
static const size_t hmf_offsets_pack[] = {
    offsetof(struct pack, npairs),
    offsetof(struct pack, pairs),
};

/* struct ping, nasty.h */
static const int hmf_desc_ping[] = {
    -3,
    typePOINTER, HMF_TYPE_pong,
    typeARRAY, HMF_DIM_(struct ping, events), HMF_TYPE_event,
    HMF_TYPE_flags,
};
static const char *const hmf_fields_ping[] = {
    "other", "events", "flags", NULL
};
static const size_t hmf_offsets_ping[] = {
    offsetof(struct ping, other),
    offsetof(struct ping, events),
    offsetof(struct ping, flags),
};
HMF_ASSERT_(ping_events, HMF_NEXT_(struct ping, other, events));
HMF_ASSERT_(ping_flags, HMF_NEXT_(struct ping, events, flags));
HMF_ASSERT_(ping, HMF_LAST_(struct ping, flags));

/* struct message.items, nasty.h */
static const int hmf_desc_message_items[] = {
    -2,
    typeCHAR,
    typeDOUBLE,
};
static const char *const hmf_fields_message_items[] = {
    "key", "value", NULL
};
static const size_t hmf_offsets_message_items[] = {
    offsetof(hmf_t_message_items, key),
    offsetof(hmf_t_message_items, value),
};
HMF_ASSERT_(message_items_value, HMF_NEXT_(hmf_t_message_items, key, value));
HMF_ASSERT_(message_items, HMF_LAST_(hmf_t_message_items, value));

/* struct pong, nasty.h */
static const int hmf_desc_pong[] = {
    -3,
    typePOINTER, HMF_TYPE_ping,
    typePOINTER, HMF_TYPE_message,
    typePOINTER, HMF_TYPE_pack,
};
static const char *const hmf_fields_pong[] = {
    "other", "message", "pack", NULL
};
static const size_t hmf_offsets_pong[] = {
    offsetof(struct pong, other),
    offsetof(struct pong, message),
    offsetof(struct pong, pack),
};
HMF_ASSERT_(pong_message, HMF_NEXT_(struct pong, other, message));
HMF_ASSERT_(pong_pack, HMF_NEXT_(struct pong, message, pack));
HMF_ASSERT_(pong, HMF_LAST_(struct pong, pack));

/* value_u.pair, nasty.h */
static const int hmf_desc_value_u_pair[] = {
    -2,
    typeSHORT,
    typeSHORT,
};
static const char *const hmf_fields_value_u_pair[] = {
    "a", "b", NULL
};
static const size_t hmf_offsets_value_u_pair[] = {
    offsetof(hmf_t_value_u_pair, a),
    offsetof(hmf_t_value_u_pair, b),
};
HMF_ASSERT_(value_u_pair_b, HMF_NEXT_(hmf_t_value_u_pair, a, b));
HMF_ASSERT_(value_u_pair, HMF_LAST_(hmf_t_value_u_pair, b));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_value, "struct value", hmf_desc_value, HMF_COUNT_(hmf_desc_value),
     hmf_fields_value, {sizeof(struct value), __alignof__(struct value),
     hmf_offsets_value, HMF_COUNT_(hmf_offsets_value)}},
    {HMF_TYPE_event, "struct event", hmf_desc_event, HMF_COUNT_(hmf_desc_event),
     hmf_fields_event, {sizeof(struct event), __alignof__(struct event),
     hmf_offsets_event, HMF_COUNT_(hmf_offsets_event)}},
    {HMF_TYPE_flags, "struct flags", hmf_desc_flags, HMF_COUNT_(hmf_desc_flags),
     hmf_fields_flags, {sizeof(struct flags), __alignof__(struct flags),
     hmf_offsets_flags, HMF_COUNT_(hmf_offsets_flags)}},
    {HMF_TYPE_message, "struct message", hmf_desc_message, HMF_COUNT_(hmf_desc_message),
     hmf_fields_message, {sizeof(struct message), __alignof__(struct message),
     hmf_offsets_message, HMF_COUNT_(hmf_offsets_message)}},
    {HMF_TYPE_pack, "struct pack", hmf_desc_pack, HMF_COUNT_(hmf_desc_pack),
     hmf_fields_pack, {sizeof(struct pack), __alignof__(struct pack),
     hmf_offsets_pack, HMF_COUNT_(hmf_offsets_pack)}},
    {HMF_TYPE_ping, "struct ping", hmf_desc_ping, HMF_COUNT_(hmf_desc_ping),
     hmf_fields_ping, {sizeof(struct ping), __alignof__(struct ping),
     hmf_offsets_ping, HMF_COUNT_(hmf_offsets_ping)}},
    {HMF_TYPE_message_items, "struct message.items", hmf_desc_message_items, HMF_COUNT_(hmf_desc_message_items),
     hmf_fields_message_items, {sizeof(hmf_t_message_items), __alignof__(hmf_t_message_items),
     hmf_offsets_message_items, HMF_COUNT_(hmf_offsets_message_items)}},
    {HMF_TYPE_pong, "struct pong", hmf_desc_pong, HMF_COUNT_(hmf_desc_pong),
     hmf_fields_pong, {sizeof(struct pong), __alignof__(struct pong),
     hmf_offsets_pong, HMF_COUNT_(hmf_offsets_pong)}},
    {HMF_TYPE_value_u_pair, "value_u.pair", hmf_desc_value_u_pair, HMF_COUNT_(hmf_desc_value_u_pair),
     hmf_fields_value_u_pair, {sizeof(hmf_t_value_u_pair), __alignof__(hmf_t_value_u_pair),
     hmf_offsets_value_u_pair, HMF_COUNT_(hmf_offsets_value_u_pair)}},
};

/* nasty_ping */
static const int hmf_variable_0[] = {
    HMF_TYPE_ping,
};

/* nasty_value */
static const int hmf_variable_1[] = {
    HMF_TYPE_value,
};

static const struct hmf_checktype_variable hmf_variables[] = {
    {"nasty_ping", (void *)&nasty_ping, sizeof nasty_ping, hmf_variable_0, HMF_COUNT_(hmf_variable_0), 1},
    {"nasty_value", (void *)&nasty_value, sizeof nasty_value, hmf_variable_1, HMF_COUNT_(hmf_variable_1), 1},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "nasty.h",
    hmf_types, HMF_COUNT_(hmf_types),
    hmf_variables, HMF_COUNT_(hmf_variables),
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
