#include "cli/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cctype>
#include <cstring>
#include <filesystem>

#include "admin/server.h"
#include "manifest/folder.h"

namespace weir::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

// Longer than the gateway lets an apply take before it answers.
constexpr auto kPatience = std::chrono::minutes(3);
constexpr size_t kLongestSocketPath = 107;  // sockaddr_un

}  // namespace

base::Result<Client> Client::find(const std::string& manifests) {
  if (!std::filesystem::is_directory(manifests)) {
    return base::error(base::Code::kInvalid, "there is no folder '" + manifests + "'", "",
                       "name the gateway's manifests folder with --manifests DIR");
  }
  manifest::LoadedSet set = manifest::read_folder(manifests);
  std::string path = admin::Server::socket_path(set.gateway.data_dir.string());
  if (path.size() > kLongestSocketPath) {
    return base::error(base::Code::kInvalid, "the path of the command socket is longer than 107 bytes: " + path, "",
                       "choose a shorter data_dir in gateway.json");
  }
  std::string gateway_file = (set.folder / manifest::kGatewayFile).lexically_normal().string(), doubt;
  for (const manifest::Problem& problem : set.problems) {
    if (problem.file == gateway_file && doubt.empty()) doubt = problem.text();
  }
  return Client(manifests, path, doubt);
}

std::string url_part(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::strchr("-._~", byte) != nullptr) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

base::Result<Reply> Client::call(const std::string& method, const std::string& target) {
  asio::io_context io;
  beast::basic_stream<asio::local::stream_protocol> stream(io);
  beast::error_code failed;
  http::request<http::empty_body> request{http::string_to_verb(method), target, 11};
  request.set(http::field::host, "weir");
  http::response<http::string_body> response;
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  stream.expires_after(kPatience);
  bool connected = false;
  stream.async_connect(asio::local::stream_protocol::endpoint(path_), [&](beast::error_code error) {
    failed = error;
    if (error) return;
    connected = true;
    http::async_write(stream, request, [&](beast::error_code write_error, size_t) {
      failed = write_error;
      if (write_error) return;
      http::async_read(stream, buffer, parser, [&](beast::error_code read_error, size_t) { failed = read_error; });
    });
  });
  io.run();
  if (!connected && !doubt_.empty()) {
    return base::error(base::Code::kInvalid, "cannot tell where the gateway's data is: " + doubt_);
  }
  if (!connected) {
    return base::error(base::Code::kUnavailable, "no gateway is running for the manifests '" + manifests_ + "'", "",
                       "tried " + path_ + "; start it with: weir run --manifests " + manifests_);
  }
  if (failed) return base::error(base::Code::kUnavailable, "the gateway did not answer: " + failed.message(), path_);
  return Reply{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace weir::cli
