package gateway

import "time"

// Names are what a file leaves to the installation.
type Names struct {
	File string    // for errors
	Dir  string    // where files that it names relatively are; "" leaves them as they are
	Now  time.Time // exceptions end within a year of it; required
	// Tenant is the id that "connected" stands for among tenants; "" refuses the word.
	Tenant string
	// Connected is the authority that "cloud: connected" stands for; nil refuses the word.
	Connected *Authority
}

// File is gateway.yaml, read and checked.
type File struct{ table Table }

// Read reads gateway.yaml strictly. Errors say the line and what to do; kind
// problem.BadInput, or problem.Limit where it is too large.
func Read(raw []byte, n Names) (*File, error) { return nil, nil }

// ReadFile reads it from a path, which is also for errors, and its folder is n.Dir.
func ReadFile(path string, n Names) (*File, error) { return nil, nil }

// Compile makes the generation that serves by it.
func (f *File) Compile(generation uint64) *Table { return nil }
