/* costs_graph.c - what is known of the cost of moves, as the components of the graph's edges (see costs.h). */
#include "config.h"

#include "costs.h"

#include <math.h>
#include <string.h>

/* What the hosts at its ends have to do goes to those, what the ranks have to do together to the process.
 *
 *   N_ij        negotiate; agents are asleep and slower than MPI: counted as so many messages of MPI's
 *   CR_i        stop, drain, capture      CC_j      create, commit, and what is placed without converting
 *   T(M_ij, k)  transfer                  x_ab      what a byte adds to translate
 *   links       join */
hmf_status_t hmf__costs_components(const struct hmf__costs *c, const struct hmf__costs_move *m, hmf_graph_t *g,
                                   struct hmf_process *process, struct hmf_vertex *here,
                                   struct hmf_vertex *there, struct hmf_edge *e)
{
    struct hmf__phases p;
    double fixed, rate, there_us, back_us;

    hmf__costs_predict(c, m, &p);
    hmf__costs_link(c, m, &fixed, &e->us_per_byte);
    rate = strcmp(m->from_data, m->to_data) ? hmf__costs_rate(c, m) : 0;
    here->send_us = hmf__costs_send(c, m->from);
    there->receive_us = fmax(0, fixed - here->send_us);
    there->send_us = hmf__costs_send(c, m->to);
    there_us = fixed + e->us_per_byte * process->message_bytes;
    back_us = there->send_us + e->us_per_byte * process->message_bytes + here->receive_us;
    here->negotiations = 1;
    there->negotiations = fmax(0, p.us[HMF__PHASE_NEGOTIATE] - there_us) / fmax(back_us, 1e-3);
    here->remove_us = p.us[HMF__PHASE_STOP] + p.us[HMF__PHASE_DRAIN] + p.us[HMF__PHASE_CAPTURE];
    there->create_us = p.us[HMF__PHASE_CREATE] + p.us[HMF__PHASE_COMMIT] +
                       fmax(0, p.us[HMF__PHASE_TRANSLATE] - rate * m->bytes);
    process->links = 1;
    process->link_us = p.us[HMF__PHASE_JOIN];
    return rate > 0 ? hmf_graph_translation(g, m->from_data, m->to_data, rate) : HMF_OK;
}
