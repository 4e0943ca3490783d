/** The options of lwIP that the port for sockets needs. */
#define NO_SYS 0
#define LWIP_SOCKET 1
#define LWIP_DNS 1
#define LWIP_COMPAT_SOCKETS 1
