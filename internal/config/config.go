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

	"github.com/goccy/go-yaml"

	"partnerguard/internal/alert"
	"partnerguard/internal/archive"
	"partnerguard/internal/bridge"
	"partnerguard/internal/collect"
	"partnerguard/internal/console"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/doorbell"
	"partnerguard/internal/fraud/eyes"
	"partnerguard/internal/gateway"
	"partnerguard/internal/jobs"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/notify"
	"partnerguard/internal/observe"
	"partnerguard/internal/partner"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/web"
)

// Config is every setting: those of the installation, and those of each feature,
// which owns its own (a feature's Config). A field's tags are all there is to a
// setting: yaml is its name in the file, and in the environment, as PARTNERGUARD_
// and the name in capitals with underscores (masterKey: PARTNERGUARD_MASTER_KEY);
// flag its flag; file the endings of files the flag completes; default what it is
// when nobody set it; about what it is.
type Config struct {
	// Data is the folder of the database. Default: partnerguard in the user's
	// data folder.
	Data string `yaml:"data" flag:"data" about:"the folder of the database"`
	// Database is a postgres:// URL, when several processes share the work.
	// Default: partnerguard.db in the data folder. Its password belongs in
	// PGPASSWORD or a .pgpass file.
	Database string `yaml:"database" about:"a postgres:// URL instead of a file in the data folder"`
	// MasterKey says what opens the vault: file:PATH, passphrase,
	// passphrase-file:PATH, systemd:NAME or azurekeyvault:URL. Default:
	// file:master.key in the folder of this file, which is made on first use.
	// With a wrong one nothing that is sealed opens, and the start is refused.
	MasterKey string `yaml:"masterKey" flag:"master-key" about:"what opens the vault: file:PATH, passphrase, passphrase-file:PATH, systemd:NAME, azurekeyvault:URL"`
	// Cloud is the Microsoft cloud: public, usgov, china, or partner-cloud, the
	// local one. Default: public, or partner-cloud where one runs and
	// nothing was ever connected to a real one.
	Cloud string `yaml:"cloud" flag:"cloud" about:"which cloud: CLOUDS (the local one)"`

	Renew   renew.Config   `yaml:",inline"`
	Web     web.Config     `yaml:",inline"`
	Broker  broker.Config  `yaml:",inline"`
	Anchor  anchor.Config  `yaml:",inline"`
	Archive archive.Config `yaml:",inline"`
	Collect collect.Config `yaml:",inline"`

	Jobs    jobs.Config    `yaml:",inline"`
	Observe observe.Config `yaml:",inline"`
	Posture posture.Config `yaml:",inline"`
	Notify  notify.Config  `yaml:",inline"`
	Alert   alert.Config   `yaml:",inline"`
	Console console.Config `yaml:",inline"`
	MFA     mfa.Config     `yaml:",inline"`
	Bridge  bridge.Config  `yaml:",inline"`
	Gateway gateway.Config `yaml:",inline"`

	Delegation move.Config    `yaml:",inline"`
	Contain    contain.Config `yaml:",inline"`
	Remedy     run.Config     `yaml:",inline"`

	Fraud    desk.Config     `yaml:",inline"`
	Doorbell doorbell.Config `yaml:",inline"`
	Eyes     eyes.Config     `yaml:",inline"`

	External provider.Config `yaml:",inline"`

	origins map[string]string
	file    string
	place   string
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
	if c.place, _ = filepath.Abs(path); c.place == "" {
		c.place = path
	}
	if err := c.read(path, named); err != nil {
		return nil, err
	}
	for _, f := range c.settings() {
		v := s.Getenv(envName(f.Name))
		if f.list() && v != "" {
			return nil, problem.New(problem.Usage, "%s is set, and %s can be set in the file alone", envName(f.Name), f.Name).
				WithHint("partnerguard config --help shows how")
		}
		if v != "" {
			if err := c.set(f, v, envName(f.Name)); err != nil {
				return nil, err
			}
		}
		if v, given := s.Flags[f.Flag]; given && f.Flag != "" {
			if v == "" { // of a shell's variable that is not set
				return nil, problem.New(problem.Usage, "--%s is empty", f.Flag).WithHint("leave it out, or say what is meant")
			}
			if err := c.set(f, v, "--"+f.Flag); err != nil {
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
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // of an editor of Windows
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	origins, place := c.origins, c.place
	err = d.Decode(c)
	c.origins, c.place = origins, place // a file without a setting leaves nothing of c
	if err != nil && !errors.Is(err, io.EOF) {
		return problem.Wrap(err, problem.BadInput, "the settings %s: %s", path, yamlWords(err)).WithHint("partnerguard config --help lists the settings")
	}
	var more any
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return problem.New(problem.BadInput, "the settings %s have a second part after ---, which nobody would read", path).WithHint("put all into one")
	}
	var given map[string]any
	if err := yaml.Unmarshal(b, &given); err != nil && !errors.Is(err, io.EOF) {
		return problem.Wrap(err, problem.BadInput, "the settings %s: %s", path, yamlWords(err))
	}
	if c.file, err = filepath.Abs(path); err != nil {
		c.file = path
	}
	for _, s := range c.settings() {
		if _, is := given[s.Name]; is && !s.empty() {
			c.origins[s.Name] = c.file
		}
	}
	return nil
}

// yamlWords is the first line of what the YAML reader says: it has the place,
// and not the lines around it.
func yamlWords(err error) string {
	line, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	return line
}

func (c *Config) set(s Setting, v, origin string) error {
	if err := s.set(v); err != nil {
		return problem.New(problem.Usage, "%s: %s", origin, err).WithHint("e.g. 168h")
	}
	c.origins[s.Name] = origin
	return nil
}

// fill gives what nobody set its default.
func (c *Config) fill(configHome, dataHome string) {
	def := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	def(&c.Data, dataHome)
	def(&c.MasterKey, "file:"+filepath.Join(configHome, "master.key"))
	for _, s := range c.settings() {
		if c.origins[s.Name] == "" && s.Default != "" {
			if err := s.set(s.Default); err != nil {
				panic("config: the default of " + s.Name + " is none: " + err.Error()) // a mistake of the program
			}
		}
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
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return bad("database", "it is no postgres:// URL").WithHint("leave it out for a file in the data folder")
	}
	if c.Database != "" {
		// What cannot be read cannot be redacted, and is not shown.
		u, err := url.Parse(c.Database)
		if err != nil {
			return bad("database", "it cannot be read").
				WithHint("it looks like postgres://user@host/name; what is not a letter or digit is written as %%XX; the password may come from " +
					"PGPASSWORD or a .pgpass file")
		}
		if _, err := url.ParseQuery(u.RawQuery); err != nil {
			return bad("database", "its parameters cannot be read").WithHint("they stand behind ?, with & between them")
		}
		for name := range u.Query() {
			if strings.Contains(strings.ToLower(name), "password") {
				return bad("database", "a password is among its parameters, where it is shown and logged").WithHint("put it into PGPASSWORD or a .pgpass file")
			}
		}
	}
	if at, is := strings.CutPrefix(c.MasterKey, "azurekeyvault:"); is {
		if u, err := url.Parse(at); err != nil || u.User != nil || u.RawQuery != "" {
			return bad("masterKey", "it is no address of a key alone").
				WithHint("the key's identifier as the vault shows it; who asks is the environment's")
		}
	}
	for _, part := range c.parts() {
		if err := part.Check(func(name, format string, args ...any) *problem.Error { return bad(name, format, args...) }); err != nil {
			return err
		}
	}
	return nil
}

// File is the settings file that was read, or "".
func (c *Config) File() string { return c.file }

// Place is where the settings file is looked for, whether or not there is one.
func (c *Config) Place() string { return c.place }

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
	for _, s := range c.settings() {
		l := Line{Name: s.Name, Value: s.String(), Origin: c.Origin(s.Name), About: s.About}
		if !s.list() {
			l.Variable = envName(s.Name)
		}
		if s.Flag != "" {
			l.Flag = "--" + s.Flag
		}
		if s.Name == "masterKey" && !isMaster(l.Value) { // somebody may have put the passphrase itself there
			l.Value = "(of no known kind, not shown)"
		}
		if u, err := url.Parse(l.Value); err == nil && u.User != nil {
			l.Value = u.Redacted()
		}
		out = append(out, l)
	}
	return out
}
