package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"partnerguard/internal/delegation/use"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/intake"
)

// maxSignInLine bounds a line of a sign-in log; a longer one is not read.
const maxSignInLine = 4 << 20

// useSink folds one customer's records as they are read: of the logs what the partner did, of
// the directory who holds which role.
type useSink struct {
	fold  *use.Fold
	facts *facts.Facts
}

// heldKinds are the lists that say who holds which role.
var heldKinds = []evidence.Kind{evidence.User, evidence.Group, evidence.RoleDefinition, evidence.RoleAssignment, evidence.RoleEligibility,
	evidence.DirectoryRole, evidence.GroupEligibility, evidence.GroupAssignment, evidence.ServicePrincipal, evidence.PrivilegedUser,
	evidence.ScubaPrivilegedRole}

func (s *useSink) Record(kind evidence.Kind, raw []byte, src evidence.Source) (string, error) {
	if kind == evidence.SignIn {
		ok, err := s.fold.SignIn(raw)
		switch {
		case !ok:
			return "", intake.ErrNoSignIn
		case err != nil:
			return err.Error(), nil
		}
		return "", nil
	}
	if slices.Contains(heldKinds, kind) {
		if err := s.facts.Take(kind, raw, src); err != nil {
			return err.Error(), nil
		}
		return "", nil
	}
	s.facts.Seen[kind]++
	if err := s.fold.Take(kind, raw, src); err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// Unjudged takes what no rule is decided by: Azure's activity among it.
func (s *useSink) Unjudged(kind evidence.Kind, raw []byte, src evidence.Source) error {
	_, err := s.Record(kind, raw, src)
	return err
}

func (s *useSink) SignInLines(ctx context.Context, r io.Reader, path string, other func([]byte, evidence.Source) error, note func(evidence.Note)) (n int,
	err error) {
	err = eachLine(ctx, r, func(line []byte, number int) error {
		src := evidence.Source{Path: path, Line: number}
		if len(line) > maxSignInLine {
			note(evidence.Note{Source: src, Message: "this line is longer than 4 MiB and was not read"})
			return nil
		}
		ok, err := s.fold.SignIn(line)
		switch {
		case err != nil:
			note(evidence.Note{Source: src, Message: "this sign-in could not be read: " + err.Error()})
		case ok:
			n++
		case len(bytes.TrimSpace(line)) > 0:
			return other(line, src)
		}
		return nil
	})
	return n, err
}

// eachLine hands on the lines of a stream, each cut to a little more than the longest that is
// read.
func eachLine(ctx context.Context, r io.Reader, each func(line []byte, number int) error) error {
	b := bufio.NewReaderSize(r, 1<<16)
	var line []byte
	for number := 1; ; {
		part, err := b.ReadSlice('\n')
		if len(line) <= maxSignInLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := each(bytes.TrimRight(line, "\r\n"), number); err != nil {
				return err
			}
		}
		line, number = line[:0], number+1
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readUse reads one customer's folder.
func readUse(ctx context.Context, r Reading, folder CustomerFolder, o use.Options) (*use.Part, error) {
	s := &useSink{fold: use.New(o), facts: facts.New()}
	inputs, err := folder.read(ctx, intake.Options{Now: r.Now, Named: emptyUse}, s)
	if err != nil {
		return nil, err
	}
	s.facts.Inputs = inputs
	at := o.To
	if at.IsZero() {
		at = s.fold.Newest()
	}
	s.facts.SetTime(at)
	s.fold.Held(heldIn(s.facts))
	return s.fold.Part(inputs), nil
}

// usedLists are what a customer's folder holds by the names that its files begin with. An
// empty list there means that there was nothing, whatever wrote it. (That nobody holds a
// role is not so in any tenant; but who gave the list said that it is all.)
var usedLists = map[string]evidence.Kind{"directoryaudits": evidence.DirectoryAudit, "signins": evidence.SignIn, "roleassignments": evidence.RoleAssignment}

// emptyUse is the kind of an empty list in a customer's folder, by its file's name.
func emptyUse(path string) evidence.Kind {
	name := strings.ToLower(path[strings.LastIndexAny(path, "/\\!")+1:])
	for begin, kind := range usedLists {
		if strings.HasPrefix(name, begin) {
			return kind
		}
	}
	return ""
}

// heldIn says who holds which role by a tenant's own lists.
func heldIn(f *facts.Facts) use.Held {
	st := f.Standing()
	out := use.Held{Roles: map[string][]use.HeldRole{}, Assignable: map[string]bool{}, Whole: f.Whole(evidence.RoleAssignment) ||
		f.Whole(evidence.DirectoryRole)}
	out.Whole = out.Whole && !slices.ContainsFunc(slices.Collect(maps.Values(f.Directory.Assignments)), func(a *directory.RoleAssignment) bool {
		// A group holds it, and who is in the group was not read.
		id := strings.ToLower(a.PrincipalID)
		group := a.Principal != nil && strings.HasSuffix(strings.ToLower(a.Principal.Type), ".group")
		return f.Directory.Groups[id] == nil && group || st.OpenGroups[id] != ""
	})
	for key, held := range st.Roles {
		id := key
		if u := f.Directory.Users[key]; u != nil && u.ID != "" {
			id = strings.ToLower(u.ID)
		}
		for i := range held {
			h := &held[i]
			role := strings.ToLower(h.TemplateID)
			if role == "" {
				role = "name:" + strings.ToLower(h.Name)
			}
			out.Roles[id] = append(out.Roles[id], use.HeldRole{Role: role, Eligible: h.Eligible, Perhaps: h.Sure == directory.Perhaps && !h.ScopeOpen})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.Directory.Groups)) {
		if !f.Directory.Groups[id].IsAssignableToRole.True() {
			continue
		}
		out.Assignable[id] = true
		for user, groups := range st.Groups {
			if slices.Contains(groups, id) {
				out.Roles[user] = append(out.Roles[user], use.HeldRole{Role: "group:" + id})
			}
		}
	}
	return out
}

// partnerUse folds what the partner's own records say of its customers, by customer.
type partnerUse struct {
	o     use.Options
	mu    sync.Mutex // lines are seen while other lines are handed on
	folds map[string]*use.Fold
}

// maxCustomers bounds the customers whose acts are told apart in the partner's own records.
const maxCustomers = 100_000

func (p *partnerUse) take(kind evidence.Kind, raw []byte, src evidence.Source) {
	tenant := use.CustomerOf(kind, raw)
	if tenant == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.folds[tenant]
	if f == nil {
		if len(p.folds) >= maxCustomers {
			return
		}
		o := p.o
		o.Tenant = tenant
		f = use.New(o)
		p.folds[tenant] = f
	}
	_ = f.Take(kind, raw, src) // what cannot be read of it is said with the partner's own lists
}
