// The schema of http.source's configuration: what an operator may write, and the documentation of every key.
#pragma once

namespace weir::http {

// JSON Schema, draft-07. config.cpp reads what it describes.
inline constexpr char kConfigSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "listen": {
      "type": "string", "minLength": 1, "default": "127.0.0.1:8080",
      "description": "Address and port to listen on, \"127.0.0.1:8080\" or \"[::]:8080\"; port 0 is any free port."
    },
    "max_connections": {
      "type": "integer", "minimum": 1, "maximum": 100000, "default": 1000,
      "description": "Clients connected at one time. One more is answered 503 with Retry-After and closed."
    },
    "max_header_bytes": {
      "type": "integer", "minimum": 256, "maximum": 1048576, "default": 16384,
      "description": "Request line and headers of one request; more is answered 431 (414 when it is the request line)."
    },
    "max_body_bytes": {
      "type": "integer", "minimum": 1, "maximum": 67108864, "default": 1048576,
      "description": "Body of one request; more is answered 413."
    },
    "max_buffered_bytes": {
      "type": "integer", "minimum": 1048576, "maximum": 4294967296, "default": 33554432,
      "description": "Memory of all requests that are being received together; a request beyond it is answered 503. At least 4 KiB a connection and twice max_body_bytes."
    },
    "header_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 3600000, "default": 10000,
      "description": "Milliseconds from a request's first byte (the first time, from the connection) to the end of its head; a slower client is answered 408 and closed."
    },
    "body_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 3600000, "default": 30000,
      "description": "Milliseconds from the end of the head to the end of the body; a slower client is answered 408 and closed."
    },
    "idle_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 86400000, "default": 60000,
      "description": "Milliseconds that a connection may stay open between two requests."
    },
    "write_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 3600000, "default": 10000,
      "description": "Milliseconds for a client to read one answer; a slower one is cut off."
    },
    "mapping": {
      "type": "object",
      "description": "What JSON in a device's own words means (docs/mapping.md). It is taken by POST at the mapping's template, or /v1/telemetry/{device_id} without one."
    },
    "tls": {
      "type": "object",
      "additionalProperties": false,
      "required": ["certificate", "key"],
      "description": "With it the port speaks HTTPS (TLS 1.2 and 1.3) only. Files are PEM; replaced ones serve new connections within three seconds.",
      "properties": {
        "certificate": {
          "type": "string", "minLength": 1,
          "description": "File with the server's certificate, and behind it those that lead to its authority."
        },
        "key": {
          "type": "string", "minLength": 1,
          "description": "File with the certificate's private key, without a pass phrase."
        },
        "client_ca": {
          "type": "string", "minLength": 1,
          "description": "File with the authorities that sign the clients' certificates."
        },
        "client_auth": {
          "enum": ["none", "optional", "required"],
          "description": "Whether clients show a certificate; its subject becomes the metadata weir.auth.subject. required when client_ca is there, else none."
        },
        "minimum_version": {
          "enum": ["1.2", "1.3"], "default": "1.2",
          "description": "The oldest TLS version that is spoken."
        },
        "handshake_timeout_ms": {
          "type": "integer", "minimum": 1, "maximum": 3600000, "default": 5000,
          "description": "Milliseconds from the connection to the end of the handshake; a slower client is cut off."
        },
        "max_handshakes": {
          "type": "integer", "minimum": 1, "maximum": 100000, "default": 256,
          "description": "Handshakes under way at one time, not counted in max_connections. One more ends the oldest."
        }
      }
    }
  }
})";

}  // namespace weir::http
