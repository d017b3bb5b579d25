dnl HMF_PNG: finds libpng, with which the heat example writes its picture; else it writes a PPM.
dnl Sets PNG_CFLAGS, PNG_LIBS, hmf_png_found and, in config.h, HAVE_LIBPNG.

AC_DEFUN([HMF_PNG], [
PKG_CHECK_MODULES([PNG], [libpng >= 1.6], [
    hmf_png_found="yes, `$PKG_CONFIG --modversion libpng`"
    AC_DEFINE([HAVE_LIBPNG], [1], [libpng is there])
], [
    hmf_png_found="no: the heat example writes PPM (Debian: libpng-dev)"
])
])
