package app

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/sample"
)

// customersFolder is the folder of an export that holds the customers' own lists, a folder
// each, named after the tenant.
const customersFolder = "customers"

// DelegationReading says what of a partner's delegation is read. Reading.At is the moment
// that it is told as of; zero is now.
type DelegationReading struct {
	Reading
}

// CustomerFolder holds one customer's own lists.
type CustomerFolder struct {
	Tenant string // the folder's name in lower case: the tenant's id
	Path   string
}

// DelegationSource is what an inventory was made from.
type DelegationSource struct {
	Facts   *facts.Facts     // the partner's own; delegation.Build of them, as of another moment, is another inventory
	Folders []CustomerFolder // customers' own lists, which are not among the facts, by tenant
}

// Delegation reads the partner's own lists, and finds where those of its customers are. What
// lies in customers/<tenant id>/ of a folder that is named is the customer's: it is not read,
// and never mixed with the partner's.
func Delegation(ctx context.Context, r DelegationReading) (*delegation.Inventory, *DelegationSource, error) {
	src := &DelegationSource{}
	for _, p := range r.From {
		found, err := customerFolders(p)
		if err != nil {
			return nil, nil, err
		}
		src.Folders = append(src.Folders, found...)
	}
	slices.SortStableFunc(src.Folders, func(a, b CustomerFolder) int { return strings.Compare(a.Tenant, b.Tenant) })
	r.apart = func(path string) bool {
		if filepath.Base(path) != customersFolder {
			return false
		}
		return slices.ContainsFunc(r.From, func(p string) bool { return filepath.Clean(p) == filepath.Dir(path) })
	}
	at := r.At
	if at.IsZero() && r.Sample() {
		at = sample.AsOf
	}
	if at.IsZero() {
		at = r.Now
	}
	if at.IsZero() {
		at = time.Now()
	}
	r.At = at
	f, err := Read(ctx, r.Reading, nil)
	if err != nil {
		return nil, nil, err
	}
	src.Facts = f
	return delegation.Build(f, at), src, nil
}

// customerFolders are the customers' folders within a folder that was named. One that is a
// link is not followed.
func customerFolders(p string) (out []CustomerFolder, err error) {
	if info, err := os.Stat(p); err != nil || !info.IsDir() {
		return nil, nil // a file, standard input or the archive; what is not there, reading tells
	}
	entries, err := os.ReadDir(filepath.Join(p, customersFolder))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the customers' folders in %.200q cannot be listed", p).WithHint("check who may read it")
	}
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, CustomerFolder{Tenant: strings.ToLower(e.Name()), Path: filepath.Join(p, customersFolder, e.Name())})
		}
	}
	return out, nil
}
