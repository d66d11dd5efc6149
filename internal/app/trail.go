package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/config"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/vault"
)

// Anchors are the places that the settings name.
func (s *SAM) Anchors() ([]trail.Anchor, error) {
	var list []trail.Anchor
	for _, c := range s.Config.Anchors {
		a, err := s.anchor(c)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func (s *SAM) anchor(c config.Anchor) (trail.Anchor, error) {
	// A stamp and a cosignature are of the world's time, also where the
	// laboratory's clock was turned.
	now := time.Now
	roots, err := pemRoots(c.Roots)
	if err != nil {
		return nil, err
	}
	path := c.File
	if path != "" {
		if path, err = filepath.Abs(path); err != nil {
			return nil, problem.Wrap(err, problem.BadInput, "the file of checkpoints cannot be found")
		}
	}
	switch {
	case c.Timestamp != "":
		return anchor.NewTimestamp(c.Timestamp, roots, path, c.Every, &http.Client{Timeout: 30 * time.Second}, now)
	case c.Witness != "":
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		return anchor.NewWitness(c.Witness, c.Key, c.Every, &http.Client{Timeout: 30 * time.Second, Transport: t}, now)
	case c.Syslog != "":
		return anchor.NewSyslog(c.Syslog, c.Every, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	case c.Mail != "":
		return c.NewMail(s.anchorSecret(c), roots)
	case c.AzureBlob != "":
		return anchor.NewAzureBlob(c.Place(s.anchorSecret(c), roots, now),
			func() (azcore.TokenCredential, error) { return azidentity.NewDefaultAzureCredential(nil) })
	case c.S3 != "":
		return anchor.NewS3(c.Place(nil, roots, now), c.Region, c.PathStyle, s.s3Key(c))
	}
	return anchor.NewFile(path, c.Every), nil
}

// anchorSecret reads what the setting names, each time it is needed.
func (s *SAM) anchorSecret(c config.Anchor) func() (secret.Text, error) {
	return func() (secret.Text, error) { return vault.ReadSecret(c.Secret, nil) }
}

// s3Key is the setting's key, or that of the environment as other programs read it.
func (s *SAM) s3Key(c config.Anchor) func() (anchor.S3Key, error) {
	return func() (anchor.S3Key, error) {
		if c.AccessKey != "" {
			text, err := vault.ReadSecret(c.Secret, nil)
			return anchor.S3Key{ID: c.AccessKey, Secret: text}, err
		}
		k := anchor.S3Key{ID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: secret.New(os.Getenv("AWS_SECRET_ACCESS_KEY")),
			Session: secret.New(os.Getenv("AWS_SESSION_TOKEN"))}
		if k.ID == "" || k.Secret.IsZero() {
			return k, problem.New(problem.BadInput, "there is no key for s3:%s", c.S3).
				WithHint("set accessKey and secret, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
		}
		return k, nil
	}
}

func pemRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "the roots %s cannot be read", path)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 4<<20))
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(raw) {
		return nil, problem.New(problem.BadInput, "no certificate is in the roots %s", path)
	}
	return pool, nil
}

// AnchorTrail hands the trail's checkpoint to every anchor, or to those that are
// due.
func (s *SAM) AnchorTrail(ctx context.Context, all bool) ([]trail.Standing, error) {
	list, err := s.Anchors()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	k, err := s.Trail.Signer(ctx, s.Vault)
	if err != nil {
		return nil, err
	}
	return s.Trail.Anchor(ctx, k, list, all, s.Log)
}

// TrailVerifiers are the keys that the trail's checkpoints may be signed by: the
// one of the settings, which no database can change, or the vault's own. With
// neither there are none.
func (s *SAM) TrailVerifiers(ctx context.Context) ([]note.Verifier, error) {
	if s.Config.TrailKey != "" {
		v, err := note.NewVerifier(s.Config.TrailKey)
		if err != nil {
			return nil, problem.New(problem.Usage, "trailKey (from %s): it cannot be read", s.Config.Origin("trailKey")).WithHint("partnerguard trail key prints it")
		}
		if o, err := s.Trail.Origin(ctx); err == nil && v.Name() != o {
			return nil, problem.New(problem.Unmet,
				"the trail is %s, and trailKey (from %s) is of %.80q: the trail was begun anew, or the key is another's", o, s.Config.Origin("trailKey"), v.Name())
		}
		return []note.Verifier{v}, nil
	}
	if s.Vault == nil {
		return nil, nil
	}
	k, err := s.Trail.OpenSigner(ctx, s.Vault)
	if errors.Is(err, problem.NotFound) {
		return nil, nil // nothing was ever signed here, or somebody made it look so: the anchors know
	}
	if err != nil {
		return nil, err
	}
	return []note.Verifier{k.Verifier()}, nil
}

const jobAnchor = "anchor-trail"

// anchorRegularly hands out checkpoints while serving. Without anchors it says so
// once.
func (s *SAM) anchorRegularly(ctx context.Context, q *jobs.Queue) error {
	list, err := s.Anchors()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		s.Log.WarnContext(ctx, "the audit trail has no anchor: whoever may write the database can cut or rewrite it unseen; set anchors")
		return nil
	}
	every := s.Config.AnchorEvery
	for _, c := range s.Config.Anchors {
		every = min(every, c.Every)
	}
	q.Handle(jobAnchor, func(ctx context.Context, _ jobs.Job) error {
		_, err := s.AnchorTrail(ctx, false)
		return err
	})
	q.Every(max(every, time.Minute), jobAnchor, nil)
	return nil
}

// TrailKey is the key that verifies the trail's checkpoints, as text; it is made
// where there is none.
func (s *SAM) TrailKey(ctx context.Context) (string, error) {
	k, err := s.Trail.Signer(ctx, s.Vault)
	if err != nil {
		return "", err
	}
	return k.Key(), nil
}
