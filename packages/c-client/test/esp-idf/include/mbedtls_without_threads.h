/* Debian's mbedTLS is built with threads of POSIX, which the compiler's C library does not have. */
#include <mbedtls/config.h>
#undef MBEDTLS_THREADING_C
#undef MBEDTLS_THREADING_PTHREAD
