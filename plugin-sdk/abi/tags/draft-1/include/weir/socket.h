/* weir.socket: listening sockets belong to the host, so that their queue survives the instance. */
#ifndef WEIR_SOCKET_H
#define WEIR_SOCKET_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_SOCKET "weir.socket.draft/1"

enum { WEIR_SOCKET_TCP = 1, WEIR_SOCKET_UDP = 2 };

typedef struct weir_listen {
  uint32_t protocol; /* WEIR_SOCKET_TCP or WEIR_SOCKET_UDP */
  uint32_t backlog;  /* TCP: 0 is the host's default */
  weir_text address; /* "127.0.0.1:8080", "[::1]:8080"; port 0 is any free port */
} weir_listen;

typedef struct weir_socket_v1 {
  /* Gives a non-blocking, close-on-exec descriptor of the socket bound (TCP: listening) at spec. The descriptor
   * is a duplicate and is the plugin's to close. Instances of one name that ask for an equal spec get the same
   * socket: it outlives a swap. WEIR_E_UNAVAILABLE when the address is taken, WEIR_E_INVALID when it is no
   * address, WEIR_E_DENIED when it is not permitted. Call it in prepare. [control] */
  weir_status (*listen)(weir_host* host, const weir_listen* spec, int32_t* fd, weir_error* error);
} weir_socket_v1;

#ifdef __cplusplus
}
#endif
#endif
