// Package forward answers other people's proxies whether a request may go on: nginx,
// Traefik, HAProxy, Caddy (contracts-2026-11 section 8).
package forward
