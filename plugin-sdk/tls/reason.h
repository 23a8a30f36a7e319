// wolfSSL's codes as causes and words.
#pragma once

#include "weir/tls/credentials.h"
#include "weir/tls/problem.h"

namespace weir::tls {

// What is known of a call that failed.
struct Failure {
  Role role = Role::kServer;  // ours
  int code = 0;               // of the call
  int judgement = 0;          // why the peer's certificate was refused, 0 when it was not
  int alert = -1;             // the last one that the peer sent, -1 when none
  bool answered = false;      // what came was TLS enough to be answered
  bool established = false;
  bool peer_closed = false;
  const Certificate* judged = nullptr;  // which certificate, null when it is not known
  std::string_view peer_name;           // a client's: who was asked for
};

Problem problem_of(const Failure& failure);

}  // namespace weir::tls
