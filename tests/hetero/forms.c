/* Unions, bit-fields and flexible array members as each machine's compiler lays them out: the state
 * of golden images of version 2. */
#include "config.h"

#include "cases.h"
#include "golden2.h"
#include "hmf/type.h"

static struct golden2 forms;

/* Whether `T : 0` aligns a struct differs between machines. */
struct cut { char a : 3; long long : 0; };
struct cut_padded { short a : 3, : 4; char b; };
struct __attribute__((packed)) cut_packed { char a : 4; long long b : 36, : 0; int c; };

static size_t size_of(const int *desc, size_t len)
{
    size_t size = 0;

    return hmf_type_check(desc, len, &size) == HMF_OK ? size : 0;
}

static int check_sizes(void)
{
    static const int cut[] = {-2, typeBITS, 3, typeCHAR, typeBITS, 0, typeLLONG};
    static const int padded[] = {-3, typeBITS, 3, typeSHORT, typeBITS, -4, typeSHORT, typeCHAR};
    static const int packed[] = {typePACKED, -4, typeBITS, 4, typeCHAR, typeBITS, 36, typeLLONG,
                                 typeBITS, 0, typeLLONG, typeINT};
    int bad = 0;

    HETERO_CHECK(size_of(cut, HETERO_LEN(cut)) == sizeof(struct cut));
    HETERO_CHECK(size_of(padded, HETERO_LEN(padded)) == sizeof(struct cut_padded));
    HETERO_CHECK(size_of(packed, HETERO_LEN(packed)) == sizeof(struct cut_packed));
    return bad;
}

static hmf_status_t add(hmf_state_t *s)
{
    return golden2_register(s, &forms);
}

static void fill(void)
{
    golden2_fill(&forms);
}

static int check(void)
{
    int bad = check_sizes();

    HETERO_CHECK(golden2_good_unions(&forms));
    HETERO_CHECK(golden2_good_bits(&forms));
    HETERO_CHECK(golden2_good_arrays(&forms));
    return bad;
}

static void poison(void)
{
    memset(&forms, 0x55, sizeof forms);
}

const struct hetero_case hetero_forms = {"forms", add, fill, check, poison};
