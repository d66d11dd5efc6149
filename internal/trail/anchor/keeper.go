package anchor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Deps is what a Keeper works with.
type Deps struct {
	Trail  *trail.Trail
	Vault  *vault.Vault // nil: nothing is signed
	Config *Config
	Origin func(setting string) string // where a setting came from, for errors
	Log    *slog.Logger
}

// Keeper hands the trail's checkpoints to the places that keep them. It is safe
// for concurrent use.
type Keeper struct{ d Deps }

// NewKeeper makes a Keeper; all but the vault is required.
func NewKeeper(d Deps) *Keeper { return &Keeper{d} }

// Anchors are the places that the settings name.
func (k *Keeper) Anchors() ([]trail.Anchor, error) {
	var list []trail.Anchor
	for _, c := range k.d.Config.Places {
		a, err := c.open()
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// open makes the place; it reads no secret.
func (c *Setting) open() (trail.Anchor, error) {
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
		return NewTimestamp(c.Timestamp, roots, path, c.Every, &http.Client{Timeout: 30 * time.Second}, now)
	case c.Witness != "":
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		return NewWitness(c.Witness, c.Key, c.Every, &http.Client{Timeout: 30 * time.Second, Transport: t}, now)
	case c.Syslog != "":
		return NewSyslog(c.Syslog, c.Every, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	case c.Mail != "":
		return c.NewMail(c.secret(), roots)
	case c.AzureBlob != "":
		return NewAzureBlob(c.Place(c.secret(), roots, now),
			func() (azcore.TokenCredential, error) { return azidentity.NewDefaultAzureCredential(nil) })
	case c.S3 != "":
		return NewS3(c.Place(nil, roots, now), c.Region, c.PathStyle, c.s3Key())
	}
	return NewFile(path, c.Every), nil
}

// secret reads what the setting names, each time it is needed.
func (c *Setting) secret() func() (secret.Text, error) {
	return func() (secret.Text, error) { return vault.ReadSecret(c.Secret, nil) }
}

// s3Key is the setting's key, or that of the environment as other programs read it.
func (c *Setting) s3Key() func() (S3Key, error) {
	return func() (S3Key, error) {
		if c.AccessKey != "" {
			text, err := vault.ReadSecret(c.Secret, nil)
			return S3Key{ID: c.AccessKey, Secret: text}, err
		}
		k := S3Key{ID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: secret.New(os.Getenv("AWS_SECRET_ACCESS_KEY")),
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

// Send hands the trail's checkpoint to every anchor, or to those that are
// due.
func (k *Keeper) Send(ctx context.Context, all bool) ([]trail.Standing, error) {
	list, err := k.Anchors()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	signer, err := k.d.Trail.Signer(ctx, k.d.Vault)
	if err != nil {
		return nil, err
	}
	return k.d.Trail.Anchor(ctx, signer, list, all, k.d.Log)
}

// Verifiers are the keys that the trail's checkpoints may be signed by: the
// one of the settings, which no database can change, or the vault's own. With
// neither there are none.
func (k *Keeper) Verifiers(ctx context.Context) ([]note.Verifier, error) {
	if k.d.Config.Key != "" {
		v, err := note.NewVerifier(k.d.Config.Key)
		if err != nil {
			return nil, problem.New(problem.Usage, "trailKey (from %s): it cannot be read", k.d.Origin("trailKey")).WithHint("partnerguard trail key prints it")
		}
		if o, err := k.d.Trail.Origin(ctx); err == nil && v.Name() != o {
			return nil, problem.New(problem.Unmet,
				"the trail is %s, and trailKey (from %s) is of %.80q: the trail was begun anew, or the key is another's", o, k.d.Origin("trailKey"), v.Name())
		}
		return []note.Verifier{v}, nil
	}
	if k.d.Vault == nil {
		return nil, nil
	}
	signer, err := k.d.Trail.OpenSigner(ctx, k.d.Vault)
	if errors.Is(err, problem.NotFound) {
		return nil, nil // nothing was ever signed here, or somebody made it look so: the anchors know
	}
	if err != nil {
		return nil, err
	}
	return []note.Verifier{signer.Verifier()}, nil
}

const jobAnchor = "anchor-trail"

// Jobs gives the queue the handing out of checkpoints. Without anchors it says so
// once, in the log.
func (k *Keeper) Jobs(q *jobs.Queue) error {
	list, err := k.Anchors()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		k.d.Log.Warn("the audit trail has no anchor: whoever may write the database can cut or rewrite it unseen; set anchors")
		return nil
	}
	every := k.d.Config.Every
	for _, c := range k.d.Config.Places {
		every = min(every, c.Every)
	}
	q.Handle(jobAnchor, func(ctx context.Context, _ jobs.Job) error {
		_, err := k.Send(ctx, false)
		return err
	})
	q.Every(max(every, time.Minute), jobAnchor, nil)
	return nil
}

// Sign signs where the trail stands.
func (k *Keeper) Sign(ctx context.Context) ([]byte, error) {
	signer, err := k.d.Trail.Signer(ctx, k.d.Vault)
	if err != nil {
		return nil, err
	}
	_, raw, err := k.d.Trail.Sign(ctx, signer)
	return raw, err
}

// Key is the key that verifies the trail's checkpoints, as text; it is made
// where there is none.
func (k *Keeper) Key(ctx context.Context) (string, error) {
	signer, err := k.d.Trail.Signer(ctx, k.d.Vault)
	if err != nil {
		return "", err
	}
	return signer.Key(), nil
}
