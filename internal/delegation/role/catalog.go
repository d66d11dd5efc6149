package role

// Catalog is what is known of the directory's roles. It never changes: safe for concurrent use.
type Catalog struct{}

// Load gives the catalog of the embedded data, read once. It cannot fail: a test reads the data.
func Load() *Catalog { return &Catalog{} }

// Role finds a role by its template id, in any case.
func (c *Catalog) Role(id string) (Role, bool) { return Role{}, false }

// ByName finds a role by a name Microsoft gives it or gave it, in any case.
func (c *Catalog) ByName(name string) (Role, bool) { return Role{}, false }

// All gives every role, by name.
func (c *Catalog) All() []Role { return nil }

// Offerable gives the roles that may be offered through GDAP, by name.
func (c *Catalog) Offerable() []Role { return nil }

// TargetOf says what kind of target a user is who holds these roles. It is TargetOrdinary without any.
func (c *Catalog) TargetOf(roles []string) Target { return TargetUnknown }

// Map says which roles could have done an act. What is not known is Mapping{}: no role is called for.
func (c *Catalog) Map(a Act) Mapping { return Mapping{} }

// Can tells whether a role could have done an act. It is false for an act that is not known.
func (c *Catalog) Can(id string, a Act) bool { return false }

// Problem is the choice of roles for a set of acts, in the form that package cover takes.
type Problem struct {
	Roles      []string // ids, sorted
	Needs      [][]int  // for each mapping the roles that would do, as indexes into Roles
	Privileged []bool   // of each role
	Weight     []int    // of each role in this choice: its own, and more when no task of these names it
}

// Choose makes the choice of roles for mappings. A role that is beside all of them is left out;
// keep are roles that are there anyway (pinned, or granted and not to be taken away).
// A mapping that is not known gives a need without roles.
func (c *Catalog) Choose(needs []Mapping, keep []string) Problem { return Problem{} }
