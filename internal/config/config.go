package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

// Config is every setting. Each field's tag names it in the file; in the
// environment it is PARTNERGUARD_ and the name in capitals with underscores
// (masterKey: PARTNERGUARD_MASTER_KEY).
type Config struct {
	// Data is the folder of the database. Default: partnerguard in the user's
	// data folder.
	Data string `yaml:"data"`
	// Database is a postgres:// URL, when several processes share the work.
	// Default: partnerguard.db in the data folder. Its password belongs in
	// PGPASSWORD or a .pgpass file.
	Database string `yaml:"database"`
	// MasterKey says what opens the vault: file:PATH, passphrase,
	// passphrase-file:PATH, systemd:NAME or azurekeyvault:URL. Default:
	// file:master.key in the folder of this file, which is made on first use.
	// With a wrong one nothing that is sealed opens, and the start is refused.
	MasterKey string `yaml:"masterKey"`
	// Cloud is the Microsoft cloud: public, usgov, china, or partner-cloud, the
	// local one. Default: public, or partner-cloud where one runs and
	// nothing was ever connected to a real one.
	Cloud string `yaml:"cloud"`
	// RenewEvery is how often refresh tokens are renewed: an hour to 30 days.
	// Default 168h; they die after 90 days without use.
	RenewEvery time.Duration `yaml:"renewEvery"`
	// Listen is the address serve answers on. Default 127.0.0.1:8443.
	Listen string `yaml:"listen"`
	// PublicURL is how serve is reached from outside, e.g.
	// https://guard.contoso.example; its /connect/callback is a redirect URI of
	// the app. Required for invitations.
	PublicURL string `yaml:"publicURL"`
	// TLSCertificate and TLSKey are PEM files serve answers with. Required beyond
	// loopback.
	TLSCertificate string `yaml:"tlsCertificate"`
	TLSKey         string `yaml:"tlsKey"`
	// ClientCA is a PEM file of the authorities that callers' certificates come
	// from. Without it callers prove themselves by OIDC tokens only.
	ClientCA string `yaml:"clientCA"`
	// Policy is the file that says which caller may have which token. Without it
	// serve hands out none.
	Policy string `yaml:"policy"`
	// Anchors are the places outside of the database that keep checkpoints of the
	// audit trail. Only the file sets them.
	Anchors []Anchor `yaml:"anchors"`
	// AnchorEvery is how often serve gives them one, when there are new entries: a
	// minute to 7 days. Default 15m.
	AnchorEvery time.Duration `yaml:"anchorEvery"`
	// TrailKey is the key that verifies the trail's checkpoints, as trail key
	// prints it. With it, trail verify needs no vault, and takes no other key.
	TrailKey string `yaml:"trailKey"`

	origins map[string]string
	file    string
}

// setting ties a field to its names.
type setting struct {
	name  string // in the file
	flag  string // "" when there is none
	about string
	text  func(*Config) *string        // one of these
	span  func(*Config) *time.Duration // two
}

func settings() []setting {
	// The flags of the second half are serve's alone.
	s := func(name, flag, about string, f func(*Config) *string) setting {
		return setting{name: name, flag: flag, about: about, text: f}
	}
	return []setting{
		s("data", "data", "the folder of the database", func(c *Config) *string { return &c.Data }),
		s("database", "", "a postgres:// URL instead of a file in the data folder", func(c *Config) *string { return &c.Database }),
		s("masterKey", "master-key", "what opens the vault: file:PATH, passphrase, passphrase-file:PATH, systemd:NAME, azurekeyvault:URL", func(c *Config) *string { return &c.MasterKey }),
		s("cloud", "cloud", "which cloud: "+strings.Join(Clouds(), ", ")+" (the local one)", func(c *Config) *string { return &c.Cloud }),
		{name: "renewEvery", about: "how often refresh tokens are renewed", span: func(c *Config) *time.Duration { return &c.RenewEvery }},
		s("listen", "listen", "the address serve answers on", func(c *Config) *string { return &c.Listen }),
		s("publicURL", "public-url", "how serve is reached from outside", func(c *Config) *string { return &c.PublicURL }),
		s("tlsCertificate", "", "a PEM file", func(c *Config) *string { return &c.TLSCertificate }),
		s("tlsKey", "", "a PEM file", func(c *Config) *string { return &c.TLSKey }),
		s("clientCA", "", "a PEM file of the authorities of callers' certificates", func(c *Config) *string { return &c.ClientCA }),
		s("policy", "policy", "which caller may have which token", func(c *Config) *string { return &c.Policy }),
		{name: "anchorEvery", about: "how often the trail's checkpoints go to its anchors", span: func(c *Config) *time.Duration { return &c.AnchorEvery }},
		s("trailKey", "", "what verifies the trail's checkpoints", func(c *Config) *string { return &c.TrailKey }),
	}
}

// envName is a setting's environment variable.
func envName(name string) string {
	var b strings.Builder
	b.WriteString("PARTNERGUARD_")
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// Source is where settings come from.
type Source struct {
	File   string              // --config; "" looks at PARTNERGUARD_CONFIG, then the default place, which may be absent
	Flags  map[string]string   // those given, by flag name
	Getenv func(string) string // required
}

const maxFile = 1 << 20

// Load gathers the settings and checks them.
func Load(s Source) (*Config, error) {
	c := &Config{origins: map[string]string{}}
	home := dir(s.Getenv, "XDG_CONFIG_HOME", ".config")
	path, named := s.File, true
	if path == "" {
		path = s.Getenv("PARTNERGUARD_CONFIG")
	}
	if path == "" {
		path, named = filepath.Join(home, "partnerguard.yaml"), false
	}
	if err := c.read(path, named); err != nil {
		return nil, err
	}
	for _, f := range settings() {
		if v := s.Getenv(envName(f.name)); v != "" {
			if err := c.set(f, v, envName(f.name)); err != nil {
				return nil, err
			}
		}
		if v, given := s.Flags[f.flag]; given && f.flag != "" {
			if err := c.set(f, v, "--"+f.flag); err != nil {
				return nil, err
			}
		}
	}
	if c.file != "" {
		home = filepath.Dir(c.file)
	}
	c.fill(home, dir(s.Getenv, "XDG_DATA_HOME", filepath.Join(".local", "share")))
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

func dir(getenv func(string) string, variable, under string) string {
	base := getenv(variable)
	if base == "" {
		home := getenv("HOME")
		if home == "" {
			home, _ = os.UserHomeDir()
		}
		base = filepath.Join(home, under)
	}
	return filepath.Join(base, "partnerguard")
}

func (c *Config) read(path string, named bool) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return problem.Wrap(err, problem.NotFound, "the settings %s cannot be read", path).WithHint("name another file with --config, or leave it out")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the settings %s cannot be read", path)
	}
	if len(b) > maxFile {
		return problem.New(problem.Limit, "the settings %s are larger than %d bytes", path, maxFile)
	}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return problem.Wrap(err, problem.BadInput, "the settings %s: %s", path, yamlWords(err)).WithHint("partnerguard config --help lists the settings")
	}
	if c.file, err = filepath.Abs(path); err != nil {
		c.file = path
	}
	for _, s := range settings() {
		if s.text != nil && *s.text(c) != "" || s.span != nil && *s.span(c) != 0 {
			c.origins[s.name] = c.file
		}
	}
	if len(c.Anchors) > 0 {
		c.origins["anchors"] = c.file
	}
	return nil
}

// yamlWords is the first line of what the YAML reader says: it has the place,
// and not the lines around it.
func yamlWords(err error) string {
	line, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	return line
}

func (c *Config) set(s setting, v, origin string) error {
	if s.text != nil {
		*s.text(c) = v
	} else {
		d, err := time.ParseDuration(v)
		if err != nil {
			return problem.New(problem.Usage, "%s: %q is not a duration", origin, v).WithHint("e.g. 168h")
		}
		*s.span(c) = d
	}
	c.origins[s.name] = origin
	return nil
}

func (c *Config) fill(configHome, dataHome string) {
	def := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	def(&c.Data, dataHome)
	def(&c.MasterKey, "file:"+filepath.Join(configHome, "master.key"))
	def(&c.Listen, "127.0.0.1:8443")
	if c.RenewEvery == 0 {
		c.RenewEvery = 7 * 24 * time.Hour
	}
	if c.AnchorEvery == 0 {
		c.AnchorEvery = 15 * time.Minute
	}
}

// partnerCloud is the local cloud, which only this list knows.
const partnerCloud = "partner-cloud"

// Clouds are the values of Cloud: those of partner.Clouds that are open, and the
// local one.
func Clouds() (names []string) {
	for _, c := range partner.Clouds() {
		if c.Open() {
			names = append(names, string(c))
		}
	}
	return append(names, partnerCloud)
}

func (c *Config) check() error {
	bad := func(name, format string, args ...any) *problem.Error {
		return problem.New(problem.Usage, "%s (from %s): %s", name, c.Origin(name), fmt.Sprintf(format, args...))
	}
	if c.Cloud != "" && c.Cloud != partnerCloud {
		known, ok := partner.ParseCloud(c.Cloud)
		switch {
		case !ok:
			return bad("cloud", "%q is not a cloud", c.Cloud).WithHint("one of %s", strings.Join(Clouds(), ", "))
		case !known.Open():
			return bad("cloud", "the cloud %s is closed: nothing answers there", known).WithHint("one of %s", strings.Join(Clouds(), ", "))
		}
		c.Cloud = string(known) // an older word is read, the present one is shown
	}
	if c.RenewEvery < time.Hour || c.RenewEvery > 30*24*time.Hour {
		return bad("renewEvery", "%s is not between an hour and 30 days", c.RenewEvery).WithHint("refresh tokens die after 90 days without use; 168h is a week")
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return bad("database", "it is no postgres:// URL").WithHint("leave it out for a file in the data folder")
	}
	if c.Database != "" {
		// What cannot be read cannot be redacted, and is not shown.
		u, err := url.Parse(c.Database)
		if err != nil {
			return bad("database", "it cannot be read").WithHint("it looks like postgres://user@host/name; what is not a letter or digit is written as %%XX; the password may come from PGPASSWORD or a .pgpass file")
		}
		for name := range u.Query() {
			if strings.Contains(strings.ToLower(name), "password") {
				return bad("database", "a password is among its parameters, where it is shown and logged").WithHint("put it into PGPASSWORD or a .pgpass file")
			}
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		local := err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "https" && !local {
			return bad("publicURL", "it is no https:// address of a host alone").WithHint("e.g. https://guard.contoso.example")
		}
		c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		return problem.New(problem.Usage, "tlsCertificate and tlsKey go together: one is missing")
	}
	return c.checkAnchors()
}

// File is the settings file that was read, or "".
func (c *Config) File() string { return c.file }

// Origin is where a setting came from: a flag, a variable, a file, "default".
func (c *Config) Origin(name string) string {
	if o := c.origins[name]; o != "" {
		return o
	}
	return "default"
}

func isMaster(v string) bool {
	kind, rest, _ := strings.Cut(v, ":")
	return v == "passphrase" || rest != "" && slices.Contains([]string{"file", "passphrase-file", "systemd", "azurekeyvault"}, kind)
}

// Line is one setting as shown.
type Line struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Origin   string `json:"origin"`
	Variable string `json:"variable"`
	Flag     string `json:"flag,omitempty"`
	About    string `json:"about"`
}

// Lines are all settings, redacted, in the order of the documentation.
func (c *Config) Lines() []Line {
	var out []Line
	for _, s := range settings() {
		l := Line{Name: s.name, Origin: c.Origin(s.name), Variable: envName(s.name), About: s.about}
		if s.flag != "" {
			l.Flag = "--" + s.flag
		}
		if s.span != nil {
			l.Value = s.span(c).String()
		} else {
			l.Value = *s.text(c)
		}
		if s.name == "masterKey" && !isMaster(l.Value) { // somebody may have put the passphrase itself there
			l.Value = "(of no known kind, not shown)"
		}
		if u, err := url.Parse(l.Value); err == nil && u.User != nil {
			l.Value = u.Redacted()
		}
		out = append(out, l)
	}
	return append(out, c.anchorsLine())
}
