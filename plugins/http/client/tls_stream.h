// A stream of bytes through TLS.
#pragma once

#include "byte_stream.h"
#include "weir/tls/credentials.h"

namespace weir::http::client {

// `host` is the name or the address, an IPv6 one without brackets, that the server's certificate must be for; a name is
// sent as SNI too. An end that the server has not announced (close_notify) is a failure and never asio::error::eof, as
// anybody on the way can make one.
std::shared_ptr<ByteStream> make_tls_stream(boost::asio::io_context& io,
                                            std::shared_ptr<const tls::Credentials> credentials,
                                            const std::string& host);

}  // namespace weir::http::client
