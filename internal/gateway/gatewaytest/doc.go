// Package gatewaytest mints tokens and plays authorities and upstreams for tests.
package gatewaytest
