package arch

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// owner says of each table whose it is: the one room that reads and writes it.
var owner = map[string]string{
	"settings": "db", "goose_db_version": "db", "told": "notify",
	"notify_messages": "notify", "notify_deliveries": "notify", "notify_attempts": "notify",
	"alerts": "alert", "alert_events": "alert", "alert_acts": "alert", "alert_queue": "alert", "alert_causes": "alert", "alert_cursors": "alert",
	"alert_feeds": "alert", "alert_calendar": "alert",
	"vault_keyset": "vault", "vault_rows": "vault",
	"connections": "sam", "registrations": "sam",
	"approvals": "sam/broker", "invitations": "sam/onboard", "consent_intents": "sam/consent",
	"automation_items": "automation",
	"posture_rounds":   "posture", "posture_facts": "posture", "posture_rollups": "posture", "posture_rejudges": "posture", "posture_rejudged": "posture",
	"exceptions": "posture", "attestations": "posture",
	"collect_tenants": "collect", "collect_cursors": "collect", "collect_leases": "collect", "collect_gaps": "collect",
	"snapshot_parts":   "snapshot",
	"archive_segments": "archive", "archive_pending": "archive",
	"trail_head": "trail", "trail_pages": "trail", "trail_tiles": "trail", "trail_chain": "trail", "trail_anchors": "trail", "trail_proofs": "trail",
	"river_job": "jobs", "river_client": "jobs",
	"mfa_people": "mfa", "mfa_factors": "mfa", "mfa_challenges": "mfa", "mfa_sessions": "mfa", "mfa_invitations": "mfa", "mfa_acts": "mfa",
	"mfa_notes": "mfa", "mfa_tries": "mfa",
	"console_sessions": "console", "console_links": "console", "console_roles": "console", "console_tokens": "console",
	"mfa_keys": "mfa/provider", "mfa_tenants": "mfa/provider", "mfa_hints": "mfa/provider", "mfa_counts": "mfa/provider",
	"bridge_devices": "bridge", "bridge_queue": "bridge/queue",
	"delegation_runs": "delegation/move", "delegation_moves": "delegation/move", "delegation_steps": "delegation/move",
	"delegation_pins": "delegation/move",
	"contain_plans":   "fraud/contain", "contain_runs": "fraud/contain", "contain_steps": "fraud/contain", "contain_acts": "fraud/contain",
	"contain_approvals": "fraud/contain",
	"fraud_alerts":      "fraud/desk", "fraud_cases": "fraud/desk", "fraud_answers": "fraud/desk", "fraud_pulls": "fraud/desk",
	"fraud_rings": "fraud/doorbell", "fraud_ring_counts": "fraud/doorbell",
	"budget_runs": "fraud/budget", "budget_items": "fraud/budget", "budget_steps": "fraud/budget",
	"gateway_decisions": "gateway/ledger", "gateway_revocations": "gateway/revoke",
	"remedy_plans": "remedy/run", "remedy_runs": "remedy/run", "remedy_steps": "remedy/run", "remedy_acts": "remedy/run",
	"remedy_approvals": "remedy/run",
}

// catalogue are words after UPDATE or FROM that are no tables of ours: what a
// database says of itself, and SET of an ON CONFLICT.
var catalogue = map[string]bool{"set": true, "sqlite_master": true, "information_schema": true, "pragma_table_info": true,
	"pragma_foreign_key_check": true, "pg_stat_activity": true}

var (
	statement = regexp.MustCompile(`(?is)^\s*(SELECT\s.+\sFROM\s|SELECT [A-Z_]+\(|INSERT INTO |UPDATE [a-z_]+ SET |DELETE FROM |PRAGMA |WITH [a-z]+ AS )`)
	table     = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE|JOIN)\s+([a-z_]+)`)
	made      = regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)`)
)

// TestSQL: statements stand in a room's sql.go, and each table has one owner.
func TestSQL(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || s.top == "partnercloud" || s.top == "arch" || strings.HasSuffix(s.dir, "test") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil || !statement.MatchString(text) && !table.MatchString(text) {
				return true
			}
			for _, m := range table.FindAllStringSubmatch(text, -1) {
				if catalogue[strings.ToLower(m[1])] {
					continue
				}
				whose, known := owner[m[1]]
				switch {
				case !known && statement.MatchString(text):
					t.Errorf("%s: the table %s has no owner: add it to the list", s.path, m[1])
				case known && whose != s.dir:
					t.Errorf("%s: the table %s is %s's", s.path, m[1], whose)
				}
				seen[m[1]] = true
			}
			if statement.MatchString(text) && path.Base(s.path) != "sql.go" {
				t.Errorf("%s: a statement outside of sql.go: %.60s", s.path, text)
			}
			return true
		})
	}
	files, err := filepath.Glob("../db/migrations/*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(text), -1) {
			if owner[m[1]] == "" {
				t.Errorf("%s makes %s, which nobody owns", f, m[1])
			}
		}
	}
	for name := range owner {
		if !seen[name] {
			t.Errorf("nobody uses the table %s", name)
		}
	}
}
