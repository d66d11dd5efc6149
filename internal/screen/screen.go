package screen

import (
	"context"
	"net/url"
	"time"

	"partnerguard/internal/print"
)

// Group is where the rail has a page.
type Group string

// The groups, by the question they answer.
const (
	Posture  Group = "Posture"  // are we compliant
	Reach    Group = "Reach"    // what our power touches
	Evidence Group = "Evidence" // how do we know
	Nowhere  Group = ""         // reached from another page
)

// Over says over whose facts a page goes.
type Over int

// What a page goes over.
const (
	OfHouse   Over = iota // the installation: no tenant is chosen
	OfPartner             // the partner's own tenant
	OfTenant              // one tenant, the partner's where none is named
	OfAll                 // one tenant, or all of them
)

// Screen is one page of the console: its HTML at /Name, its rows at /Name.csv,
// /Name.json and /api/v1/Name.
type Screen struct {
	Name  string // "people"; "coverage/decide" is a page below coverage
	Title string
	Icon  string // id of a glyph of the sprite
	Group Group
	Order int    // within the group
	About string // one sentence, for the palette, the API's document and the page that has no other
	See   Right
	Over  Over
	List  Lister // nil: the page has no list
	// Params are what the page's address may say beside the list's members.
	Params []Param
	// Load answers. Where only rows are wanted (Ask.Machine), View may leave out what
	// is only for the page.
	Load func(ctx context.Context, a *Ask) (*View, error)
	// Acts are what can be done here.
	Acts []Act
	// Files are what is handed out here beside the page.
	Files []File
	// Needs counts what needs a person today, for the rail; optional, and fast.
	Needs func(ctx context.Context, v *Viewer) int
	// Find looks for what the palette should offer, at most limit of them; optional.
	Find func(ctx context.Context, v *Viewer, q string, limit int) []Hit
}

// Param is a member of a page's address that is its own.
type Param struct {
	Name, About string
	Enum        []string // what it may say; empty: any text of at most 256 bytes
}

// Hit is what the palette finds.
type Hit struct {
	Title, Sub, Path string // Path is one of ours, with its query
	Icon             string
}

// Tenant is one that facts are of.
type Tenant struct {
	ID, Name, Domain string
	Partner          bool
	Local            bool // of a partner cloud: never to be taken for Microsoft's
}

// Ask is one request for a page, after entry, rights and tenant were settled.
type Ask struct {
	Viewer  *Viewer
	Tenant  Tenant     // the chosen one; zero where the page goes over all, or has none
	Tenants []Tenant   // those the viewer may see
	Query   Query      // of the list, checked
	Values  url.Values // the page's own members, checked against Params
	Now     time.Time
	Machine bool // rows alone are wanted: an export, the API
}

// Act is something that is done by a form, or by the API.
type Act struct {
	Name  string // "revive": POST /Name/revive and /api/v1/Name/revive
	Title string // on the button
	About string
	Do    Right
	Form  []Field // what it takes; what is not among them is refused
	// Handle does it for Ask.Viewer and records it by that actor. Its answer is
	// where the browser goes next, one of our own paths, and what it says then.
	Handle func(ctx context.Context, a *Ask, form url.Values) (Done, error)
}

// Field is one field of an act.
type Field struct {
	Name, Label, Hint string
	Kind              string // "text", "area", "date", "select", "hidden", "check"
	Enum              []string
	Required, Many    bool
	Max               int // bytes; 0 is 1,000
}

// Done is what an act came to.
type Done struct {
	Path string // where to go, of ours; "" is the page
	Said string // one sentence
	Body any    // for the API; optional
}

// View is what a page says.
type View struct {
	Sentence string   // under the title
	Facts    []Fact   // what it rests on; the oldest deciding one is the badge
	Actions  []Action // beside the title: at most one is primary
	Notices  []Notice // above everything
	Above    []Block  // the answer: tiles, charts
	Rows     Rows     // of Screen.List; nil: none
	Nothing  *Nothing // said where there are no rows at all
	Aside    []Block  // beside the list: a drawer
	Below    []Block
	Summary  any           // the answer's numbers, for the API
	Refresh  time.Duration // the page asks again after it, while what its reader asked for runs: never one that is read meanwhile
	Missing  bool          // nothing was ever read: Nothing says what to do
}

// Fact is something that was read, with its age.
type Fact struct {
	What   string        // "Registration", "Sign-ins to"
	At     time.Time     // of when it is; zero: never read
	Allows time.Duration // how old it may be; 0 is no limit
	Gaps   int
	Source string // system, list
	Rests  bool   // a verdict of this page rests on it
}

// Action is a link or a button beside the title.
type Action struct {
	Text, Icon, Path string
	Primary          bool
	Act              string // a form for this act instead of a link
	Fields           url.Values
}

// Notice is a banner.
type Notice struct {
	Tone     print.Tone
	Lead     string // in bold
	Text     string
	LinkText string
	Path     string
	Done, Of int64 // a progress bar where Of is not 0
}

// Nothing is what a page without rows says.
type Nothing struct {
	Head, Text     string
	LinkText, Path string
	Command        string
}

// Block is a part of a page.
type Block interface {
	// Build writes it.
	Build(b *Builder)
}
