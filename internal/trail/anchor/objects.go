package anchor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
)

// Place says where in an object store checkpoints are put, and how long the store
// keeps them from everybody.
type Place struct {
	// URL is https://host/container and perhaps a prefix; http on this machine.
	// One prefix is one trail's.
	URL string
	// Mode is the store's own word for how firmly an object is kept.
	Mode   string
	Retain time.Duration // how long
	Every  time.Duration
	// Secret gives the credential, each time it is needed.
	Secret    func() (secret.Text, error)
	Transport http.RoundTripper // nil is the network
	Roots     *x509.CertPool    // of the server's certificate, when Transport is nil; nil is the system's
	Now       func() time.Time  // nil is time.Now
}

// Objects keeps each checkpoint as an object of its own, in a store that lets
// nobody change or delete it before its time. Names sort with the newest first,
// and all versions of a name count: deleting a locked object hides it only.
type Objects struct {
	name   string
	dir    string // "" or with a slash at its end
	place  Place
	blind  bool // the store does not show until when an object is kept
	strong string
	open   func() (store, error)
}

// store is an object store with retention.
type store interface {
	// look says what the place lacks to keep objects, or "".
	look(ctx context.Context) (lacks string, err error)
	// list gives every version of every object under dir in the order of names,
	// until each is false. page is how many to ask for at once.
	list(ctx context.Context, page int, each func(object) bool) error
	get(ctx context.Context, o object) (content, error)
	// put writes an object that is not there yet: errThere.
	put(ctx context.Context, name string, body []byte, until time.Time) error
}

// object is one version of an object, as listed; name is without dir.
type object struct {
	name, version string
	size          int64
	current       bool // no later version, and not deleted
	marker        bool // it says that the name was deleted
}

// content is what an object holds and what holds it.
type content struct {
	body  []byte
	mode  string // in the store's words; "" is no retention
	until time.Time
}

// errThere says that an object of that name is there already.
var errThere = errors.New("it is there already")

const (
	maxListed = 10000 // versions looked at in one comparison
	maxRead   = 256   // of which this many are read, the newest ones
	atOnce    = 8
)

// objectName is what a checkpoint is called: a number that falls as trails grow,
// because stores list names from the smallest; its size; the trail's name.
func objectName(c trail.Checkpoint) string {
	return fmt.Sprintf("%019d.%d.%s.checkpoint", math.MaxInt64-c.Size, c.Size, plain(c.Origin))
}

// plain has letters, digits and dashes only: a name can be no path.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), 100)]
}

func parseObjectName(name string) (c trail.Checkpoint, ok bool) {
	p := strings.Split(name, ".")
	if len(p) != 4 {
		return c, false
	}
	n, err := strconv.ParseInt(p[1], 10, 64)
	c = trail.Checkpoint{Origin: p[2], Size: n}
	return c, err == nil && n >= 0 && objectName(c) == name
}

// Name is the kind of store and the address.
func (o *Objects) Name() string { return o.name }

// Every is how often it gets a checkpoint.
func (o *Objects) Every() time.Duration { return o.place.Every }

func (o *Objects) now() time.Time {
	if o.place.Now != nil {
		return o.place.Now()
	}
	return time.Now()
}

// Send looks whether the place keeps objects and whether the newest one fits the
// trail, puts the checkpoint beside it, and reads it back with its retention.
func (o *Objects) Send(ctx context.Context, s *trail.Sending) ([]byte, error) {
	ctx = frugal(ctx)
	st, err := o.open()
	if err != nil {
		return nil, err
	}
	lacks, err := st.look(ctx)
	if err != nil {
		return nil, o.spent(ctx, err)
	}
	if lacks != "" {
		return nil, problem.New(problem.BadInput, "%s %s: what is put there can be deleted", o.name, lacks)
	}
	there, err := o.newestFits(ctx, st, s)
	if err != nil || there {
		return nil, o.spent(ctx, err)
	}
	// Of the world's time, as the store's, also where the laboratory's clock was turned.
	name, until := objectName(s.Checkpoint), o.now().Add(o.place.Retain)
	if err := st.put(ctx, name, s.Note, until); err != nil && !errors.Is(err, errThere) {
		return nil, o.spent(ctx, err)
	}
	c, err := st.get(ctx, object{name: name})
	if err != nil {
		return nil, o.spent(ctx, err)
	}
	if held, err := trail.OpenNote(c.body, s.By); err != nil || held != s.Checkpoint {
		return nil, problem.New(problem.Conflict, "%s was given %s and holds something else there", o.name, name)
	}
	if w := o.weak(c, o.now()); w != "" {
		return nil, problem.New(problem.BadInput, "%s took %s, and %s", o.name, name, w)
	}
	if !o.blind && c.until.Before(until.Add(-24*time.Hour)) {
		return nil, problem.New(problem.BadInput, "%s took %s, and keeps it until %s only", o.name, name, c.until.UTC().Format(time.DateOnly))
	}
	return nil, nil
}

// newestFits compares the newest object, in all its versions, with the trail, and
// tells whether it is the very checkpoint.
func (o *Objects) newestFits(ctx context.Context, st store, s *trail.Sending) (there bool, err error) {
	var newest []object
	err = st.list(ctx, 2*atOnce, func(ob object) bool {
		if len(newest) > 0 && (ob.name != newest[0].name || len(newest) == 2*atOnce) {
			return false
		}
		if !ob.marker {
			newest = append(newest, ob)
		}
		return true
	})
	if err != nil {
		return false, err
	}
	if len(newest) == 0 && s.Known > 0 {
		return false, problem.New(problem.Conflict, "%s took a checkpoint of %d entries and is empty: it was cut or replaced", o.name, s.Known)
	}
	for _, ob := range newest {
		named, ok := parseObjectName(ob.name)
		if !ok {
			return false, problem.New(problem.Conflict, "%s holds %.80q, which is not a checkpoint's name", o.name, ob.name)
		}
		if ob.size == 0 || ob.size > maxLine {
			return false, problem.New(problem.Conflict, "%s holds %s, which is no checkpoint: it has %d bytes", o.name, ob.name, ob.size)
		}
		c, err := st.get(ctx, ob)
		if err != nil {
			return false, err
		}
		held, err := trail.OpenNote(c.body, s.By)
		switch {
		case held.Origin != "" && held.Origin != s.Origin:
			return false, s.Fits(held)
		case err != nil:
			return false, problem.New(problem.Conflict, "%s holds %s, which was changed: %s", o.name, ob.name, err)
		case held.Size != named.Size:
			return false, problem.New(problem.Conflict, "%s holds a checkpoint of %d entries as %s", o.name, held.Size, ob.name)
		case held.Size < s.Known:
			return false, problem.New(problem.Conflict,
				"%s took a checkpoint of %d entries and its newest is of %d: it was cut or replaced", o.name, s.Known, held.Size)
		}
		if err := s.Fits(held); err != nil {
			return false, err
		}
		there = there || held.Size == s.Size
	}
	return there, nil
}

// weak says what is missing in how an object is kept, or "".
func (o *Objects) weak(c content, now time.Time) string {
	switch {
	case o.blind:
		return ""
	case c.mode == "":
		return "no retention stands on it: it can be deleted"
	case c.until.Before(now):
		return "its retention ended on " + c.until.UTC().Format(time.DateOnly)
	case o.place.Mode == o.strong && c.mode != o.strong:
		return "it is kept as " + c.mode + " only, which its owner can lift"
	}
	return ""
}

// Held lists the objects, newest first, reads the newest ones, and compares names,
// signatures and retention.
func (o *Objects) Held(ctx context.Context, known []note.Verifier, _ []trail.Kept, each func(trail.Mark) error) error {
	ctx = frugal(ctx)
	st, err := o.open()
	if err != nil {
		return err
	}
	lacks, err := st.look(ctx)
	if err != nil {
		return o.spent(ctx, err)
	}
	l, err := o.listing(ctx, st)
	if err != nil {
		return o.spent(ctx, err)
	}
	r := remarks{}
	if lacks != "" {
		r.add(lacks + ": what is put there can be deleted")
	}
	if l.count > len(l.read) {
		r.add(fmt.Sprintf("of %d objects the newest %d were read", l.count, len(l.read)))
	}
	if o.blind {
		r.add("the container's policy keeps them, and neither its length nor its lock can be seen from here")
	}
	marks := make([]trail.Mark, len(l.read))
	bodies := make([]content, len(l.read))
	gone := make([]error, len(l.read))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, ob := range l.read {
		g.Go(func() error {
			marks[i], bodies[i], gone[i] = o.one(ctx, st, ob, known)
			return nil
		})
	}
	_ = g.Wait()
	o.remark(&r, l, marks, bodies, gone)
	for i, m := range marks {
		if gone[i] != nil {
			continue
		}
		if err := each(m); err != nil {
			return err
		}
	}
	err = errors.Join(gone...)
	if err != nil {
		return o.spent(ctx, problem.New(problem.BadInput, "an object that %s lists cannot be read: %s", o.name, words(err)))
	}
	return nil
}

// remark says beside the newest checkpoint what is not held as it should be.
func (o *Objects) remark(r *remarks, l listed, marks []trail.Mark, bodies []content, gone []error) {
	newest := -1
	for i := range marks {
		if gone[i] != nil || marks[i].Bad != "" {
			continue
		}
		if newest < 0 || marks[i].Size > marks[newest].Size {
			newest = i
		}
	}
	for i, ob := range l.read {
		if gone[i] != nil || marks[i].Bad != "" {
			continue
		}
		// Old objects may end their time; the newest one may not, and none was put
		// without.
		if w := o.weak(bodies[i], o.now()); w != "" && (bodies[i].until.After(o.now()) || bodies[i].mode == "" || i == newest) {
			r.add(ob.name + ": " + w)
		}
		if l.deleted[ob.name] && bodies[i].until.After(o.now()) {
			r.add(ob.name + " was deleted, and this version of it stands")
		}
	}
	if newest >= 0 {
		marks[newest].Weak = r.String()
	}
}

// listed is what of a listing matters.
type listed struct {
	count   int
	read    []object // to be read
	deleted map[string]bool
}

func (o *Objects) listing(ctx context.Context, st store) (listed, error) {
	l := listed{deleted: map[string]bool{}}
	current, origins := map[string]bool{}, map[string]bool{}
	var all []object
	err := st.list(ctx, 1000, func(ob object) bool {
		current[ob.name] = current[ob.name] || ob.current && !ob.marker
		if !ob.marker {
			all = append(all, ob)
		}
		return len(all) < maxListed
	})
	for i, ob := range all {
		c, ok := parseObjectName(ob.name)
		// The newest ones, what is no checkpoint, and one of each other trail.
		if i < maxRead || len(l.read) < 2*maxRead && (!ok || !origins[c.Origin]) {
			l.read = append(l.read, ob)
		}
		origins[c.Origin] = true
		l.deleted[ob.name] = !current[ob.name]
	}
	l.count = len(all)
	return l, err
}

// one reads an object and checks that it is what its name says.
func (o *Objects) one(ctx context.Context, st store, ob object, known []note.Verifier) (trail.Mark, content, error) {
	named, ok := parseObjectName(ob.name)
	if !ok {
		return trail.Mark{Bad: fmt.Sprintf("it holds %.80q, which is not a checkpoint's name", ob.name)}, content{}, nil
	}
	if ob.size <= 0 || ob.size > maxLine {
		return trail.Mark{Bad: fmt.Sprintf("its %s is no checkpoint: it has %d bytes", ob.name, ob.size)}, content{}, nil
	}
	c, err := st.get(ctx, ob)
	if err != nil {
		return trail.Mark{}, c, err
	}
	m := mark(c.body, known)
	switch {
	case m.Bad != "":
		m.Bad = fmt.Sprintf("its %s: %s", ob.name, m.Bad)
	case m.Size != named.Size || plain(m.Origin) != named.Origin:
		m.Bad = fmt.Sprintf("its %s holds another checkpoint, of %d entries", ob.name, m.Size)
	}
	return m, c, nil
}

// remarks are put together in one line, the first ones and how many more.
type remarks struct{ list []string }

func (r *remarks) add(s string) { r.list = append(r.list, s) }

func (r *remarks) String() string {
	const most = 3
	text := strings.Join(r.list[:min(len(r.list), most)], "; ")
	if n := len(r.list) - most; n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return text
}

// words is what may be shown of an error of a store: nothing of the library's.
func words(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	return "it failed"
}

// bounded reads what an object may have.
func bounded(c *content, r io.Reader) error {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, maxLine+1))
	c.body = b.Bytes()
	if err == nil && n > maxLine {
		err = problem.New(problem.BadInput, "an object has more bytes than was said")
	}
	return err
}

// answered says in our words what a store's status means.
func answered(ctx context.Context, who string, status int, err error) error {
	say := func(format string, args ...any) error {
		return problem.New(problem.BadInput, "%s %s", who, fmt.Sprintf(format, args...))
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return say("does not let these credentials (%d)", status)
	case status == http.StatusNotFound:
		return say("has no such thing (404)")
	case status >= 300 && status < 400:
		return say("sends elsewhere (%d), and is not followed", status)
	case status >= 400:
		return say("answered %d", status)
	}
	var certificate *tls.CertificateVerificationError
	var token *azidentity.AuthenticationFailedError
	var unavailable interface{ NonRetriable() }
	switch {
	case errors.As(err, &certificate):
		return say("has a certificate that does not verify")
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return say("did not answer in time")
	case errors.As(err, &token), errors.As(err, &unavailable):
		return say("was not asked: no token for it could be had")
	}
	return say("does not answer as one")
}
