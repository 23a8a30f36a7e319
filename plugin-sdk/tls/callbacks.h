// What wolfSSL calls while a session works. They are set once for all sessions of some credentials.
#pragma once

struct WOLFSSL;
struct WOLFSSL_X509_STORE_CTX;

namespace weir::tls {

int receive_callback(WOLFSSL*, char* to, int size, void* session);
int send_callback(WOLFSSL*, char* from, int size, void* session);
int verify_callback(int sound, WOLFSSL_X509_STORE_CTX* store);

}  // namespace weir::tls
