/* The commands of hmf that work on the decision graph: hmf_graph.c, hmf_sim.c. */
#ifndef HMF_TOOLS_GRAPH_H
#define HMF_TOOLS_GRAPH_H

extern const char hmf_graph_usage[];    /* their lines in the help text */

/* argv[0] is the command's word. The exit status. */
int hmf_graph_command(int argc, char **argv);
/* A word that is no option: the graph of a file is meant, not that of a running job. */
int hmf_graph_has_file(int argc, char **argv);

/* The same of what moves have cost (hmf_costs.c). */
extern const char hmf_costs_usage[];
int hmf_costs_command(int argc, char **argv);

/* The same of the simulator, and the list of policies (hmf_sim.c). */
extern const char hmf_sim_usage[];
int hmf_sim_command(int argc, char **argv);
int hmf_policies_command(int argc, char **argv);

#endif
