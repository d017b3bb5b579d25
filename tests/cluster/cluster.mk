# Jobs over hosts made of namespaces; they skip, and say so, where those cannot be made.
shell_tests += tests/cluster/moves.sh tests/cluster/off.sh tests/cluster/silent.sh tests/cluster/steps.sh
EXTRA_DIST += tests/cluster/hosts.sh tests/cluster/lib.sh tests/cluster/stop.c
