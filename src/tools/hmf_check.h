/* The commands of hmf that look into checkpoints (hmf_check.c). */
#ifndef HMF_TOOLS_CHECK_H
#define HMF_TOOLS_CHECK_H

extern const char hmf_check_usage[];    /* their lines in the help text */

int hmf_check_is_command(const char *word);

/* argv[0] is the command's word. The exit status. */
int hmf_check_command(int argc, char **argv);

#endif
