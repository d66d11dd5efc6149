package archive

import (
	"net/url"
	"path/filepath"
	"time"

	"partnerguard/internal/problem"
)

// Config is where the archive lies, and how long it is kept.
type Config struct {
	// Place is the address of the archive: a folder (file:///srv/archive), a bucket
	// (s3://bucket?region=eu-central-1&prefix=pg/) or a container
	// (azblob://container). Keys come from the environment, as the stores' own tools
	// take them, and never stand in the address. Default: archive in the data folder.
	Place string `yaml:"archive" about:"where collected pages are kept: file:///FOLDER, s3://BUCKET?region=…, azblob://CONTAINER; default archive in the data folder"`
	// Keep is how long a segment is kept; 0, the default, is for ever. What is taken
	// away leaves a tombstone.
	Keep time.Duration `yaml:"archiveKeep" default:"0s" about:"how long collected pages are kept, at least 720h; 0s is for ever"`
}

// leastKeep is the shortest time that a policy may keep evidence.
const leastKeep = 30 * 24 * time.Hour

// Check refuses what is no place, and a policy that would take away what is still
// judged by.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Keep != 0 && c.Keep < leastKeep {
		return bad("archiveKeep", "%s is shorter than %s, and what is judged by would go", c.Keep, leastKeep)
	}
	if c.Place == "" {
		return nil
	}
	_, err := parsePlace(c.Place, func(format string, args ...any) *problem.Error { return bad("archive", format, args...) })
	return err
}

// parsePlace reads an address. The error never shows it: it may hold what it
// should not.
func parsePlace(place string, bad func(string, ...any) *problem.Error) (*url.URL, error) {
	u, err := url.Parse(place)
	switch {
	case err != nil:
		return nil, bad("it is no address").WithHint("file:///FOLDER, s3://BUCKET?region=REGION or azblob://CONTAINER")
	case u.User != nil:
		return nil, bad("an address with a user or a password in it is not taken").WithHint("the keys of a store come from its environment variables")
	case u.Scheme == "file" && (u.Host != "" || !filepath.IsAbs(filepath.FromSlash(u.Path)) || u.RawQuery != ""):
		return nil, bad("a folder is written file:///srv/archive, with a path from the root and nothing after it")
	case u.Scheme == "file":
		return u, nil
	case u.Scheme != "s3" && u.Scheme != "azblob":
		return nil, bad("%.20q is no place for an archive", u.Scheme).WithHint("file:///FOLDER, s3://BUCKET?region=REGION or azblob://CONTAINER")
	case u.Host == "":
		return nil, bad("it names no bucket or container")
	}
	return u, nil
}
