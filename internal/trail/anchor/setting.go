package anchor

import (
	"crypto/x509"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Config is which places keep the trail's checkpoints, and what verifies them.
type Config struct {
	// Every is how often serve gives the places a checkpoint, when there are new
	// entries: a minute to 7 days.
	Every time.Duration `yaml:"anchorEvery" default:"15m" about:"how often the trail's checkpoints go to its anchors"`
	// Key is the key that verifies the trail's checkpoints, as trail key prints it.
	// With it, trail verify needs no vault, and takes no other key.
	Key string `yaml:"trailKey" about:"what verifies the trail's checkpoints"`
	// Places are outside of the database. Only the file sets them.
	Places []Setting `yaml:"anchors" about:"places outside of the database that keep the trail's checkpoints; in the file only"`
}

// Setting is one place that keeps the audit trail's checkpoints, outside of the
// database. Exactly one of File, Syslog, Witness, Timestamp, Mail, AzureBlob and S3
// is given.
type Setting struct {
	File      string        `yaml:"file"`      // a path on another disk; with Timestamp, where stamps are kept too
	Syslog    string        `yaml:"syslog"`    // tls://host:6514, tcp://host:601, udp://host:514, unix:///dev/log
	Witness   string        `yaml:"witness"`   // https:// submission prefix (C2SP tlog-witness)
	Key       string        `yaml:"key"`       // the witness's verifier key
	Timestamp string        `yaml:"timestamp"` // the address of an RFC 3161 authority
	Roots     string        `yaml:"roots"`     // a PEM file: of the authority's certificate, or of the server's
	Every     time.Duration `yaml:"every"`     // how often; default anchorEvery, for time stamps and mail 24h

	Mail string   `yaml:"mail"` // smtp://host:587 (STARTTLS), smtps://host:465, smtp+plain://127.0.0.1:25
	From string   `yaml:"from"` // of mail: an address without a name
	To   []string `yaml:"to"`
	User string   `yaml:"user"` // of the mail server, when it wants one

	AzureBlob string        `yaml:"azureBlob"` // https://account.blob.core.windows.net/container/prefix
	S3        string        `yaml:"s3"`        // https://host/bucket/prefix
	Region    string        `yaml:"region"`    // of the bucket
	PathStyle bool          `yaml:"pathStyle"` // the bucket is a path also where the store would have it in the host's name
	AccessKey string        `yaml:"accessKey"` // the key's id; without it AWS_ACCESS_KEY_ID and its like
	Mode      string        `yaml:"mode"`      // how firmly objects are kept; default locked, compliance
	Retain    time.Duration `yaml:"retain"`    // for how long; default 8760h

	// Secret names the password, shared access signature, connection string or
	// secret key: file:PATH or systemd:NAME, never itself.
	Secret string `yaml:"secret"`
}

func (a Setting) String() string {
	switch {
	case a.Timestamp != "":
		return "timestamp:" + a.Timestamp
	case a.Witness != "":
		return "witness:" + a.Witness
	case a.Syslog != "":
		return "syslog:" + a.Syslog
	case a.Mail != "":
		return "mail:" + a.Mail + " to " + strings.Join(a.To, ",")
	case a.AzureBlob != "":
		return "azureBlob:" + a.AzureBlob
	case a.S3 != "":
		return "s3:" + a.S3
	}
	return "file:" + a.File
}

// maxAnchors bounds the list: each is asked in turn.
const maxAnchors = 16

// Check settles the places and refuses what cannot be one.
func (c *Config) Check(wrong func(name, format string, args ...any) *problem.Error) error {
	bad := func(format string, args ...any) *problem.Error { return wrong("anchors", format, args...) }
	if c.Every < time.Minute || c.Every > 7*24*time.Hour {
		return wrong("anchorEvery", "%s is not between a minute and 7 days", c.Every)
	}
	if len(c.Places) > maxAnchors {
		return bad("there are %d, and at most %d are read", len(c.Places), maxAnchors)
	}
	seen := map[string]bool{}
	for i := range c.Places {
		a := &c.Places[i]
		n := 0
		for _, v := range []string{a.Syslog, a.Witness, a.Timestamp, a.Mail, a.AzureBlob, a.S3} {
			if v != "" {
				n++
			}
		}
		switch {
		case n > 1 || n == 0 && a.File == "" || n == 1 && a.File != "" && a.Timestamp == "":
			return bad("number %d is not exactly one of file, syslog, witness, timestamp, mail, azureBlob and s3", i+1)
		case (a.Witness != "") != (a.Key != ""):
			return bad("number %d: a witness and its key go together", i+1)
		case a.Timestamp != "" && a.Roots == "":
			return bad("number %d: a time stamping authority needs roots, a PEM file of the authorities its certificate comes from", i+1)
		case a.Every < 0 || a.Every > 30*24*time.Hour:
			return bad("number %d: every is %s, and may be up to 30 days", i+1, a.Every)
		}
		for _, address := range []string{a.Timestamp, a.Witness, a.Syslog} {
			if u, err := url.Parse(address); err != nil || u.User != nil || u.RawQuery != "" {
				return bad("number %d: its address is not one of a place alone: neither a name and password nor a ? belong into it", i+1)
			}
		}
		// First what it is: an address that somebody put a password into is not shown.
		if err := a.checkKind(); err != nil {
			return bad("number %d: %s", i+1, err).WithHint("%s", problem.HintOf(err))
		}
		if seen[a.String()] {
			return bad("%s is there twice", a)
		}
		seen[a.String()] = true
		if a.Every == 0 {
			a.Every = c.Every
			if a.Timestamp != "" || a.Mail != "" {
				a.Every = max(24*time.Hour, c.Every)
			}
		}
	}
	return nil
}

// checkKind refuses what belongs to another kind of anchor, and what the kind of
// anchor itself refuses. Secrets are not read yet.
func (a *Setting) checkKind() error {
	object := a.AzureBlob != "" || a.S3 != ""
	for _, c := range []struct {
		word  string
		given bool
		fits  bool
	}{
		{"from", a.From != "", a.Mail != ""},
		{"to", len(a.To) > 0, a.Mail != ""},
		{"user", a.User != "", a.Mail != ""},
		{"region", a.Region != "", a.S3 != ""},
		{"pathStyle", a.PathStyle, a.S3 != ""},
		{"accessKey", a.AccessKey != "", a.S3 != ""},
		{"mode", a.Mode != "", object},
		{"retain", a.Retain != 0, object},
		{"secret", a.Secret != "", object || a.Mail != ""},
		{"roots", a.Roots != "", a.File == "" || a.Timestamp != ""},
	} {
		if c.given && !c.fits {
			return problem.New(problem.Usage, "%s does not belong to this kind of anchor", c.word)
		}
	}
	if a.Secret != "" {
		if err := vault.CheckSecret(a.Secret); err != nil {
			return err
		}
	}
	if object {
		if a.Retain == 0 {
			a.Retain = 365 * 24 * time.Hour
		}
		if a.Retain < 24*time.Hour || a.Retain > 10*365*24*time.Hour {
			return problem.New(problem.Usage, "retain is %s, and may be between a day and ten years", a.Retain)
		}
	}
	var err error
	switch {
	case a.Mail != "":
		_, err = a.NewMail(nil, nil)
	case a.AzureBlob != "":
		if a.Mode == "" {
			a.Mode = AzureLocked
		}
		_, err = NewAzureBlob(a.Place(nil, nil, nil), nil)
	case a.S3 != "":
		if a.Mode == "" {
			a.Mode = S3Compliance
		}
		if (a.AccessKey == "") != (a.Secret == "") {
			return problem.New(problem.Usage, "accessKey and secret go together")
		}
		_, err = NewS3(a.Place(nil, nil, nil), a.Region, a.PathStyle, nil)
	}
	return err
}

// Place is where an object store's anchor puts what it is given.
func (a *Setting) Place(s func() (secret.Text, error), roots *x509.CertPool, now func() time.Time) Place {
	p := Place{URL: a.AzureBlob + a.S3, Mode: a.Mode, Retain: a.Retain, Every: a.Every, Roots: roots, Now: now}
	if a.Secret != "" {
		p.Secret = s
	}
	return p
}

// NewMail is the anchor of mail; s reads its password.
func (a *Setting) NewMail(s func() (secret.Text, error), roots *x509.CertPool) (*Mail, error) {
	if s == nil {
		s = func() (secret.Text, error) { return secret.Text{}, nil }
	}
	o := MailOptions{Server: a.Mail, From: a.From, To: a.To, User: a.User, Roots: roots, Every: a.Every}
	if a.Secret != "" {
		o.Secret = s
	}
	return NewMail(o)
}
