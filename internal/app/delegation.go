package app

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/intake"
	"partnerguard/internal/practice"
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
	// Own says of which customers what their own lists tell of rights in Azure and of consents
	// is read; nil is of none.
	Own func(tenant string) bool
}

// CustomerFolder holds one customer's own lists.
type CustomerFolder struct {
	Tenant string // the folder's name in lower case: the tenant's id
	Path   string
	files  fs.FS // of the embedded sample, or of the archive; nil: Path is a folder
	own    *practice.Own
}

// read reads all that lies in the folder.
func (c *CustomerFolder) read(ctx context.Context, o intake.Options, s intake.Sink) ([]evidence.Input, error) {
	if c.files == nil {
		return intake.Read(ctx, o, []string{c.Path}, s)
	}
	if kept, ok := c.files.(lacking); ok {
		in, err := intake.ReadFS(ctx, o, c.files, c.Path+"/", s)
		return append(in, kept.Lacking()...), err
	}
	o.Stated = sample.AsOf
	return intake.ReadFS(ctx, o, c.files, c.Path+"/", s)
}

// customersApart says, of folders within those that were named, whether one is a customer's:
// customers/<tenant id>/. What lies there is not the partner's own.
func customersApart(from []string) func(path string) bool {
	return func(path string) bool {
		in := filepath.Dir(path)
		if _, ok := use.ObjectID(filepath.Base(path)); !ok || filepath.Base(in) != customersFolder {
			return false
		}
		return slices.ContainsFunc(from, func(p string) bool { return filepath.Clean(p) == filepath.Dir(in) })
	}
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
	if r.Sample() {
		for tenant, files := range sample.Customers() {
			src.Folders = append(src.Folders, CustomerFolder{Tenant: tenant, Path: "sample:" + customersFolder + "/" + tenant, files: files})
		}
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
	inv := delegation.Build(f, at)
	if r.Own == nil {
		return inv, src, nil
	}
	own := map[string]*delegation.Own{}
	for _, c := range src.Folders {
		if !r.Own(c.Tenant) {
			continue
		}
		o, err := ownOf(ctx, r.Reading, c)
		if err != nil {
			return nil, nil, err
		}
		own[c.Tenant] = o
	}
	return delegation.Join(inv, own), src, nil
}

// ownLists are the files of a customer's folder that tell who reaches in, by how their names
// begin, in lower case. Its logs are not opened for it.
var ownLists = []string{"azureroleassignments", "serviceprincipals", "oauth2permissiongrants", "approleassignments"}

// ownOf reads what a customer's own lists say of who reaches in.
func ownOf(ctx context.Context, r Reading, c CustomerFolder) (*delegation.Own, error) {
	if c.files != nil {
		return nil, nil //nolint:nilnil // the sample has logs and roles alone
	}
	entries, err := os.ReadDir(c.Path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder %.200q cannot be listed", c.Path).WithHint("check who may read it")
	}
	one := Reading{At: r.At, Now: r.Now}
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if e.Type().IsRegular() && slices.ContainsFunc(ownLists, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
			one.From = append(one.From, filepath.Join(c.Path, e.Name()))
		}
	}
	if len(one.From) == 0 {
		return nil, nil //nolint:nilnil // nothing of it is known
	}
	f, err := Read(ctx, one, nil)
	if err != nil {
		return nil, err
	}
	o := delegation.BuildOwn(f)
	return &o, nil
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
