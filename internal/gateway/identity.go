package gateway

// Way is how somebody came.
type Way uint8

// The ways.
const (
	ByBearer  Way = iota + 1 // an access token
	BySession                // a browser's session
)

// OtherHome is the home of an account that is of none of the authority's tenants: a guest
// by another provider.
const OtherHome = "elsewhere"

// Identity is what a verified token, or the sign-in behind a session, says of who asks.
// It is never changed once it is made, and shared between requests. Moments are seconds
// since 1970; 0 is not told.
type Identity struct {
	Way Way

	Issuer   string
	Audience string
	Tenant   string // tid, lower case: where it is valid
	Home     string // the tenant the account is of, where it is another (idp, or the partner's of AOBO), lower case, or OtherHome; "" otherwise
	ObjectID string // oid
	Subject  string // sub
	Account  string // upn, preferred_username or unique_name, as it stands: for people, never for decisions
	App      string // appid or azp, lower case
	AppAuth  string // "0" public, "1" secret, "2" certificate
	IsApp    bool   // app-only: no user
	Version  string // "1.0", "2.0"

	Session string // sid
	ID      string // uti, or jti
	KeyID   string

	Scopes          []string
	Roles           []string // app roles
	Wids            []string // directory roles, by template
	Groups          []string
	GroupsElsewhere bool     // more than a token names
	Contexts        []string // acrs
	AMR             []string

	// Proven is the claim engine's verdict: MFA is proven. Otherwise Lacks is
	// SingleFactor, ThirdPartyMFA or VersionHides, and Passed for app-only.
	Proven bool
	Lacks  Reason

	// Capable says that the client understands claims challenges (xms_cc has cp1).
	// CapableTold says that the token speaks of it at all.
	Capable     bool
	CapableTold bool

	AuthTime  int64
	IssuedAt  int64
	NotBefore int64
	NotAfter  int64 // exp
}
