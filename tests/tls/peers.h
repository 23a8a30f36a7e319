// Two sessions that talk to each other over memory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "weir/tls/session.h"

namespace weir::tls {

inline std::shared_ptr<const Credentials> load(const Settings& settings) {
  Fault fault;
  auto loaded = Credentials::load(settings, &fault);
  EXPECT_NE(loaded, nullptr) << fault.text;
  return loaded;
}

// Carries what one says to the other. True when there was something.
inline bool carry(Session& from, Session& to) {
  const std::string bytes(from.output());
  from.sent(bytes.size());
  to.feed(bytes);
  return !bytes.empty();
}

struct Outcome {
  Status client = Status::kMore, server = Status::kMore;
};

// Lets both talk until nobody has anything to say. A client of TLS 1.3 hears of a refusal when it reads.
inline Outcome shake_hands(Session& client, Session& server) {
  Outcome outcome;
  bool moved = true;
  while (moved) {
    outcome.client = client.handshake();
    moved = carry(client, server);
    outcome.server = server.handshake();
    moved = carry(server, client) || moved;
  }
  char byte;
  size_t bytes = 0;
  if (outcome.server == Status::kFailed && client.established())
    outcome.client = client.read(&byte, 1, &bytes);
  return outcome;
}

}  // namespace weir::tls
