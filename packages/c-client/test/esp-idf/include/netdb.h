#include <lwip/netdb.h>
