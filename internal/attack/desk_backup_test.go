package attack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/app"
)

// TestBackupCommands is what a person types: back up, live on, restore over it, lose
// the machine, restore into nothing, and hand out a token.
func TestBackupCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file := filepath.Join(d.dir, "pg.backup")
	var all strings.Builder
	say := func(line string, code int, words ...string) string {
		t.Helper()
		said := d.expect(line, code, words...)
		all.WriteString(said)
		return said
	}
	say("backup", 2, "--out must name a file")
	say("backup --out "+d.conf, 2, "is not a backup")
	d.ok(os.Mkdir(filepath.Dir(d.anchor()), 0o700))
	say("trail anchor", 0)
	say("backup --out "+file, 0, "everything is in", "1 connection", "not in it", "master key", "next:")
	say("backup verify "+file, 0, "the backup is whole", "partner-cloud, sqlite", "next: partnerguard restore")
	say("backup verify "+d.conf, 1, d.conf+": ", "it is no partnerguard backup")
	say("backup verify", 2, "takes the file of a backup")
	say("trail list --action backup.made", 0, "backup.made", "sha256")
	say("vault backup --out "+filepath.Join(d.dir, "v"), 0, "This is the vault alone", "partnerguard backup writes everything")
	say("restore "+filepath.Join(d.dir, "v"), 1, "is a backup of the vault alone", "partnerguard vault restore --from")
	say("connect renew --all", 0, "renewed")
	say("connect app secret --client-id "+panelApp+" --expires 2027-03-01", 1) // nothing was typed
	say("trail anchor", 0)
	say("restore "+file, 2, "something is kept here already", "--replace")
	say("restore "+file+" --replace", 0, "is in its place", "aside", "rotated once after the backup", "has witnessed", "contoso  alive", "next:")
	say("connect status", 0, "contoso", "!held")
	say("trail verify", 3, "does not fit", "entry 6 of", "says: a backup of")
	say("trail list --action backup.restored", 0, "the trail goes on from entry")
	say("token get --customer fabrikam.example --resource graph", 0, "eyJ")

	// The machine is lost; key, settings and backup are not.
	d.ok(os.RemoveAll(d.data()))
	d.ok(os.Remove(d.conf))
	say("restore "+file+" --output json --offline", 1) // the settings are named, and gone
	d.ok(os.WriteFile(d.conf, nil, 0o600))
	var got app.Restored
	code, text := d.run("restore " + file + " --output json")
	if err := json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &got); err != nil || code != 0 {
		t.Fatal(code, err, text)
	}
	if len(got.Connections) != 1 || got.Connections[0].Life != app.Alive || got.Aside != "" || len(got.Files) != 1 || got.Files[0].How != "beside" {
		t.Errorf("%+v", got)
	}
	say("connect status", 0, "contoso", "!held")
	d.expect("token get --customer fabrikam.example --resource graph", 0, "eyJ")
	say("trail verify", 0, "the trail holds")
	for _, secret := range []string{d.lab().Secret(panelApp).Reveal(), "BEGIN"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("a secret was printed")
		}
	}
}
