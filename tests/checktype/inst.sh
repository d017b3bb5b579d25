# Sourced by hmfcc.sh and tutorial.sh in their scratch folder: an installation in inst/, as far as programs
# look at it, in PATH; ends the test where there can be none.
test "$SANITIZERS" = none || skip "programs of the installed kind are not built with sanitizers"
test -f "$HMF_BUILDDIR/.libs/libhmf-mpi.so" || skip "no shared library was built"
mkdir -p inst/bin inst/include inst/lib
ln -s "$HMF_SRCDIR/include" inst/include/hmf-mpi
for file in "$HMF_BUILDDIR"/.libs/libhmf-mpi.so*; do ln -s "$file" inst/lib/; done
sed "s,^libdir=.*,libdir=\$prefix/lib," "$HMF_BUILDDIR/hmfcc" >inst/bin/hmfcc && chmod +x inst/bin/hmfcc
for tool in hmf hmf-checktype; do
    test ! -x "$HMF_BUILDDIR/$tool" || ln -s "$HMF_BUILDDIR/$tool" inst/bin/
done
PATH=$PWD/inst/bin:$PATH
LD_LIBRARY_PATH=$PWD/inst/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PATH LD_LIBRARY_PATH
