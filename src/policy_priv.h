/* What the built-in policies share.  Users see hmf/policy.h. */
#ifndef HMF__POLICY_PRIV_H
#define HMF__POLICY_PRIV_H

#include "hmf/policy.h"

struct hmf_policies {
    size_t n;
    struct hmf__policy_loaded {
        const struct hmf_policy *what;
        void *object; /* of dlopen; NULL: built in */
    } *policy;
};

/* The cheapest vertex among those of the kinds (bits 1 << kind) that nothing speaks against;
 * HMF_NO_VERTEX if there is none of finite cost.  *o is its outlook. */
size_t hmf__policy_best(const struct hmf_policy_input *in, unsigned kinds, struct hmf_outlook *o);
enum { HMF__HOSTS = 1 << HMF_VERTEX_HOST, HMF__DISKS = 1 << HMF_VERTEX_DISK };

/* What staying costs. */
double hmf__policy_stay(const struct hmf_policy_input *in);

/* Names for the explanations: of the active vertex, of any. */
const char *hmf__policy_here(const struct hmf_policy_input *in);
const char *hmf__policy_name(const struct hmf_policy_input *in, size_t v);

/* "12.3 s", in one of a few places that go round. */
const char *hmf__policy_time(double us);

/* Fill in a decision. */
void hmf__policy_say(struct hmf_decision *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void hmf__policy_go(struct hmf_decision *d, size_t to, const struct hmf_outlook *o);

/* The built-in policies: policy_cost.c, policy_need.c, policy_leave.c. */
#define HMF__POLICIES(X)                                                                          \
    X(none, "none", "never moves")                                                                \
    X(manual, "manual", "moves when the operator says so, and where")                             \
    X(threshold, "threshold", "leaves a host whose weight is above a limit")                      \
    X(least_cost, "least-cost", "goes where the remaining time costs least, the move included")   \
    X(balance, "balance", "evens out load per core and speed")                                    \
    X(swap, "swap", "exchanges two active ranks, the busier one to the faster host")              \
    X(home, "home", "goes back to where the process belongs, once that costs no more")            \
    X(first_response, "first-response", "evacuation: to the host that answered first")            \
    X(degradation, "degradation", "leaves before a known end, at the latest when it is near")     \
    X(eviction, "eviction", "leaves a host that may not be used any more, to the disk if need be") \
    X(affinity, "affinity", "goes to a host that has the resources that are needed")              \
    X(real_time, "real-time", "in a real-time phase only to hosts fit for it")                    \
    X(disk, "disk", "waits on disk while every host is overloaded")

#define HMF__POLICY_DECLARE(id, name, help)                                                       \
    hmf_status_t hmf__policy_##id(const struct hmf_policy_input *in, struct hmf_decision *out);
HMF__POLICIES(HMF__POLICY_DECLARE)
#undef HMF__POLICY_DECLARE

#endif
