/* Descriptions of the types in relay.c, made by hmf-checktype: do not edit, run it again
 * when they change.  Serves all machines; nothing here is about the one it was made on. */
#include <hmf/checktype.h>
#include <stddef.h>


enum {
    HMF_TYPE_tour = 1383966841,
    HMF_TYPE_stop = 1922369059
};

/* struct tour, relay.c */
static const int hmf_desc_tour[] = {
    -3,
    typeLONG,
    typePOINTER, HMF_TYPE_stop,
    typePOINTER, HMF_TYPE_stop,
};
static const char *const hmf_fields_tour[] = {
    "length", "first", "last", NULL
};
static const size_t hmf_offsets_tour[] = {
    offsetof(struct tour, length),
    offsetof(struct tour, first),
    offsetof(struct tour, last),
};
HMF_ASSERT_(tour_first, HMF_NEXT_(struct tour, length, first));
HMF_ASSERT_(tour_last, HMF_NEXT_(struct tour, first, last));
HMF_ASSERT_(tour, HMF_LAST_(struct tour, last));

/* struct stop, relay.c */
static const int hmf_desc_stop[] = {
    -4,
    typeINT,
    typeDOUBLE,
    typePOINTER, typeCSTRING,
    typePOINTER, HMF_TYPE_stop,
};
static const char *const hmf_fields_stop[] = {
    "rank", "when", "what", "next", NULL
};
static const size_t hmf_offsets_stop[] = {
    offsetof(struct stop, rank),
    offsetof(struct stop, when),
    offsetof(struct stop, what),
    offsetof(struct stop, next),
};
HMF_ASSERT_(stop_when, HMF_NEXT_(struct stop, rank, when));
HMF_ASSERT_(stop_what, HMF_NEXT_(struct stop, when, what));
HMF_ASSERT_(stop_next, HMF_NEXT_(struct stop, what, next));
HMF_ASSERT_(stop, HMF_LAST_(struct stop, next));

static const struct hmf_checktype_type hmf_types[] = {
    {HMF_TYPE_tour, "struct tour", hmf_desc_tour, HMF_COUNT_(hmf_desc_tour),
     hmf_fields_tour, {sizeof(struct tour), __alignof__(struct tour),
     hmf_offsets_tour, HMF_COUNT_(hmf_offsets_tour)}},
    {HMF_TYPE_stop, "struct stop", hmf_desc_stop, HMF_COUNT_(hmf_desc_stop),
     hmf_fields_stop, {sizeof(struct stop), __alignof__(struct stop),
     hmf_offsets_stop, HMF_COUNT_(hmf_offsets_stop)}},
};

static struct hmf_checktype_unit hmf_unit = {
    1, "relay.c",
    hmf_types, HMF_COUNT_(hmf_types),
    NULL, 0,
    NULL, 0, NULL
};

__attribute__((constructor)) static void hmf_unit_begin(void)
{
    hmf_checktype_add(&hmf_unit);
}
