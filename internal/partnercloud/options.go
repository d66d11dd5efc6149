package partnercloud

import (
	"log/slog"
	"time"
)

// Options is what a partner cloud is started with. The zero value is the
// embedded scenario in memory on free loopback ports.
type Options struct {
	Scenario  string // path of a scenario file; "" is the embedded one
	Customers int    // generated customers; 0 is the scenario's own number
	Users     int    // generated partner users; 0 is the scenario's own number
	Days      int    // of generated history; 0 is the scenario's own number
	Seed      uint64 // 0 is the scenario's own
	State     string // directory in which the world survives a restart; "" is memory
	CADir     string // directory of the local CA; "" is beside State, or memory

	Listen      string // loopback host; "" is 127.0.0.1
	Port        int    // the first of eight ports in a row, and of one for each extra; 0 is any free ports
	ForceListen bool   // allow a host that is not loopback

	Mail  bool // extra: SMTP, IMAP and POP3, three ports more
	Stamp bool // extra: a time stamping authority, one port more

	// Unthrottled and NoLag switch off the published limits and the log's
	// ingestion lag: for tests of something else.
	Unthrottled bool
	NoLag       bool

	Now func() time.Time // the machine's clock; nil is time.Now
	Log *slog.Logger     // nil discards
}

// Info says where everything is. It holds the lab's secrets: it is for the
// person who started it.
type Info struct {
	Name   string    `json:"name"`
	Banner string    `json:"banner"`
	Clock  time.Time `json:"clock"`
	Tenant Tenant    `json:"tenant"`

	Login         string `json:"login"`
	Graph         string `json:"graph"`
	PartnerCenter string `json:"partnerCenter"`
	ARM           string `json:"arm"`
	Portal        string `json:"portal"`
	KeyVaultKey   string `json:"keyVaultKey,omitempty"` // URL of a key, under its production name alone
	PortalHTTP    string `json:"portalHttp"`            // without TLS, for a browser that does not know the CA

	Control       string `json:"control"`
	ControlSecret string `json:"controlSecret"`
	Proxy         string `json:"proxy"` // http://name:secret@host:port
	SNI           string `json:"sni"`   // host:port, TLS under the production names
	CAFile        string `json:"caFile"`
	SPKI          string `json:"spki"` // of the leaf key, for browsers under test

	Mail  *MailInfo  `json:"mail,omitempty"`
	Stamp *StampInfo `json:"stamp,omitempty"`

	People    []Person   `json:"people"`
	Admins    []Person   `json:"admins"` // of customers; they answer offers of delegated administration
	Apps      []App      `json:"apps"`
	Customers []Customer `json:"customers"`
}

// MailInfo says where mail is sent and read, host:port each: SMTP with STARTTLS, the
// others over TLS.
type MailInfo struct {
	SMTP string `json:"smtp"`
	IMAP string `json:"imap"`
	POP  string `json:"pop"`
}

// StampInfo says where time stamps are given (RFC 3161), and which root they are to
// be checked by.
type StampInfo struct {
	URL      string `json:"url"`
	RootFile string `json:"rootFile"`
}

// Tenant names the partner tenant.
type Tenant struct {
	ID     string `json:"id"`
	Domain string `json:"domain"`
	Name   string `json:"name"`
}

// Person is a sample person with what is needed to sign in.
type Person struct {
	UPN      string `json:"upn"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"`
	TOTP     string `json:"totp,omitempty"` // secret in base32
	About    string `json:"about,omitempty"`
}

// App is a sample app.
type App struct {
	Name         string `json:"name"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret,omitempty"`
	Redirect     string `json:"redirect,omitempty"`
	Tenant       string `json:"tenant"`
	About        string `json:"about,omitempty"`
}

// Customer is one of the customers.
type Customer struct {
	ID     string `json:"id"`
	Domain string `json:"domain"`
	Name   string `json:"name"`
}
