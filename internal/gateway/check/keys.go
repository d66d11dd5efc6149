package check

import (
	"context"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/problem"
)

// FileKeys reads the files of keys that a table's authorities name; those of clouds come
// from rest, or from one given file, and are not read where there is neither.
type FileKeys struct {
	sets map[string]jose.JSONWebKeySet
	rest verify.Source
}

// NewFileKeys reads them. given is a file with the clouds' keys; "" is none. Kind
// problem.NotFound or BadInput where one cannot be read.
func NewFileKeys(t *gateway.Table, given string, rest verify.Source) (*FileKeys, error) {
	f := &FileKeys{sets: map[string]jose.JSONWebKeySet{}, rest: rest}
	for i := range t.Authorities {
		a := &t.Authorities[i]
		path := a.Keys
		if path == "" {
			path = given
		}
		if path == "" {
			continue
		}
		raw, err := problem.ReadFile("the file of keys", path, claim.MaxKeySet)
		if err != nil {
			return nil, err
		}
		set, err := claim.ReadKeySet(raw)
		if err != nil {
			return nil, problem.Wrap(err, problem.BadInput, "the file of keys %s: %s", path, err.Error()).
				WithHint("a JSON Web Key Set, as the authority's discovery/v2.0/keys gives it")
		}
		f.sets[a.Name] = set.For("", a.Issuers...)
	}
	return f, nil
}

// Keys implements [verify.Source].
func (f *FileKeys) Keys(ctx context.Context, of gateway.Authority, kid string) (jose.JSONWebKeySet, error) {
	if set, ok := f.sets[of.Name]; ok {
		return set, nil
	}
	if f.rest != nil {
		return f.rest.Keys(ctx, of, kid)
	}
	return jose.JSONWebKeySet{}, problem.New(problem.Unavailable, "the keys of %s are not read", of.Name)
}

// Any says whether any authority's keys are from files.
func (f *FileKeys) Any() bool { return len(f.sets) > 0 }
