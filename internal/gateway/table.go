package gateway

import (
	"net/netip"
	"strings"
	"time"
)

// Table is a compiled file: one generation of what the gateway serves, and by which
// rules. It is never changed once it is made; all its methods may be called at once.
type Table struct {
	Generation uint64 // as it was given to Compile: each file taken over has a greater one
	Digest     string // SHA-256 of the file, in hex

	Listen  []Listen
	Forward *Forward // nil: no other proxy asks
	Admin   string   // address of health and metrics where the gateway runs alone; "" is none
	Trusted []netip.Prefix

	Authorities []Authority
	SignIn      *SignIn // nil: no browsers
	Assertion   bool    // upstreams get a signed assertion

	Leeway   time.Duration // for clocks that differ
	KeysKept time.Duration // how long known keys are used while their authority is away

	Routes []*Route // in the order of the file

	hosts map[string]*site // by name; ".x" for *.x, "" for every host
}

// Listen is one address that requests come to.
type Listen struct {
	At               string // host:port
	Certificate, Key string // PEM files; "" is plain HTTP
}

// Forward is the endpoint that other proxies ask.
type Forward struct {
	At    string         // host:port
	Peers []netip.Prefix // whose X-Forwarded-* say what was asked
}

// SignIn is the app by which browsers sign in.
type SignIn struct {
	App        string // client id, lower case
	Secret     string // name of a sealed secret
	SecretFile string // instead: a file that holds it
	Life       time.Duration
	Idle       time.Duration
}

// TenantID stands for the token's own tid in [Authority.Issuers].
const TenantID = "{tenantid}"

// Authority is who issues tokens. Either Cloud or Keys says where its keys are.
type Authority struct {
	Name string // as the file has it: connected, a cloud, or the file of keys
	// Cloud names one of Microsoft's; "connected" is the installation's.
	Cloud string
	Keys  string // a file with a JSON Web Key Set
	// Issuers are what iss may be, whole; TenantID in one stands for the token's tid.
	Issuers []string
}

// Upstream is where a route's requests go.
type Upstream struct {
	URLs       []string // http://host:port or https://host:port; one at least
	CA         string   // PEM file of the roots it is held to; "" is the system's
	ServerName string   // in its certificate, where that is another than the URL's
	Health     string   // path that is asked whether it lives; "" asks nothing
	HTTP2      bool     // HTTP/2 without TLS too (gRPC)
}

// CloudIssuers are what iss may be for an authority of Entra ID: address is where
// tokens come from, prefixes how its issuers begin (contracts.md section 4.4).
func CloudIssuers(address string, prefixes []string) []string {
	var out []string
	add := func(s string) {
		for _, have := range out {
			if have == s {
				return
			}
		}
		out = append(out, s)
	}
	for _, p := range prefixes {
		p = strings.TrimSuffix(p, "/") + "/" + TenantID
		if _, host, _ := strings.Cut(p, "://"); strings.HasPrefix(host, "sts.") {
			add(p + "/")
			continue
		}
		add(p + "/v2.0")
	}
	add(strings.TrimSuffix(address, "/") + "/" + TenantID + "/v2.0")
	return out
}
