/*
 * Which libhmf-mpi a program runs with.
 */
#ifndef HMF_VERSION_H
#define HMF_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of the library in use, as "major.minor.patch". Not collective, callable at any time
 * from any thread. The string belongs to the library and stays valid.
 */
const char *hmf_version(void);

#ifdef __cplusplus
}
#endif

#endif
