dnl HMF_CRYPT: finds crypt(3), which only the password-search example uses.
dnl Sets CRYPT_LIBS, hmf_crypt_found and the conditional HAVE_CRYPT.

AC_DEFUN([HMF_CRYPT], [
hmf_save_LIBS=$LIBS
hmf_crypt_found="no: the example crackhash is not built (Debian: libcrypt-dev)"
AC_CHECK_HEADER([crypt.h], [
    AC_SEARCH_LIBS([crypt], [crypt], [
        hmf_crypt_found=yes
        AS_IF([test "$ac_cv_search_crypt" != "none required"], [CRYPT_LIBS=$ac_cv_search_crypt])])])
LIBS=$hmf_save_LIBS
AM_CONDITIONAL([HAVE_CRYPT], [test "$hmf_crypt_found" = yes])
AC_SUBST([CRYPT_LIBS])
])
