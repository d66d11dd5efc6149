package evidence

// Extent says how much of a list was read. What a list that is not whole does
// not hold is unknown, never "no".
type Extent uint8

// The extents.
const (
	Absent Extent = iota // nothing says that the list was asked for
	Partly               // some of it was read, and there is reason to think there is more
	Entire               // read to its end, and nothing speaks against it
)

var extentNames = [...]string{"absent", "partial", "whole"}

// String is the stable name.
func (x Extent) String() string { return extentNames[x] }

// MarshalText makes the name the JSON form.
func (x Extent) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// Cut says that a list is not whole: which, why, and where that was seen. The
// request that settles it is that of its kind, see [RequestFor], unless the cut
// names its own.
type Cut struct {
	Kind    Kind   `json:"kind"`
	Why     string `json:"why"`               // a clause: "is one user, not the list of all users"
	Request string `json:"request,omitempty"` // the one request that settles it; "" is that of the kind
	Source  Source `json:"source"`
}

// Settle is the one request that settles the cut.
func (c Cut) Settle() string {
	if c.Request != "" {
		return c.Request
	}
	k := c.Kind
	if other, ok := readInstead[k]; ok {
		k = other
	}
	return ReadingOf(k)
}

// readInstead are kinds that another list says better.
var readInstead = map[Kind]Kind{
	DirectoryRole: RoleAssignment, PrivilegedUser: RoleAssignment, ScubaPrivilegedRole: RoleAssignment,
	CredentialRegistration: RegistrationDetails, AuthenticationDetail: SignIn,
}

// MaxCuts bounds the cuts kept for one input; one more says nothing new.
const MaxCuts = 20

// Shorten records that a list in the input is not whole.
func (in *Input) Shorten(c Cut) {
	for _, old := range in.Cuts {
		if old.Kind == c.Kind && old.Why == c.Why {
			return
		}
	}
	if len(in.Cuts) < MaxCuts {
		in.Cuts = append(in.Cuts, c)
	}
}
