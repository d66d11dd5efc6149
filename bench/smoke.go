package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

// smokeVerdict is our rule of judgement as far as the generated events need it.
const smokeVerdict = `CASE WHEN status.errorCode = 50074 THEN 'interrupted' WHEN status.errorCode <> 0 THEN 'failed'
	WHEN len(list_filter(authenticationDetails, s -> s.succeeded AND s.authenticationStepRequirement = 'Multifactor authentication')) > 0 THEN 'challenged'
	WHEN contains(status.additionalDetails, 'satisfied by claim') THEN 'satisfied_by_claim'
	WHEN clientAppUsed IN ('IMAP4', 'Authenticated SMTP') THEN 'not_challenged'
	WHEN authenticationRequirement = 'multiFactorAuthentication' AND NOT isInteractive THEN 'satisfied_by_claim'
	WHEN authenticationRequirement = 'multiFactorAuthentication' THEN 'challenged'
	WHEN len(list_filter(appliedConditionalAccessPolicies, p -> p.result = 'success' AND p.enforcedGrantControls = ['Mfa'])) > 0 THEN 'satisfied_by_claim'
	WHEN authenticationRequirement IS NULL THEN 'unknown' ELSE 'not_challenged' END`

// smoke folds small files and has DuckDB count the same; an error says where
// they differ.
func smoke() error {
	dir, err := os.MkdirTemp("", "partnerguard-smoke")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, varied := range []bool{false, true} {
		path := filepath.Join(dir, fmt.Sprintf("varied-%v.jsonl", varied))
		if err := writeSmall(path, varied); err != nil {
			return err
		}
		ours, err := ourCounts(path)
		if err != nil {
			return err
		}
		theirs, err := duckCounts(path)
		if err != nil {
			return err
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		if !slices.Equal(ours, theirs) {
			return fmt.Errorf("the counts differ\nours:\n%s\nDuckDB's:\n%s", strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
		}
		fmt.Printf("varied %v: %d counts agree: %s\n", varied, len(ours), strings.Join(ours, ", "))
	}
	return nil
}

func writeSmall(path string, varied bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := replay(w, 25_000, varied); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func ourCounts(path string) (list []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ctx := context.Background()
	rows := fold.New(fold.Options{Scratch: tempScratch{}, Budget: 1 << 20})
	if _, err := read.ReadLines(ctx, f, read.Lines{Path: path}, rows); err != nil {
		return nil, err
	}
	s, err := rows.Finish(ctx, nil)
	if err != nil {
		return nil, err
	}
	add := func(name string, n int64) { list = append(list, fmt.Sprint(name, " ", n)) }
	add("rows", s.Rows)
	add("copies", s.Duplicates)
	add("accounts", int64(len(s.Accounts)))
	add("apps", int64(len(s.Apps)))
	add("legacy", s.Legacy.Total())
	add("aobo", s.AOBO.Total())
	add("completed prompts", s.Reasons[signin.ReasonPromptCompleted])
	for _, v := range signin.Verdicts() {
		if n := s.Verdicts.Of(v); n > 0 {
			add(v.String(), n)
		}
	}
	return list, nil
}

func duckCounts(path string) (list []string, err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	columns := strings.Replace(columns, "displayName VARCHAR, result VARCHAR", "displayName VARCHAR, result VARCHAR, enforcedGrantControls VARCHAR[]", 1)
	source := fmt.Sprintf("read_json('%s', format='newline_delimited', columns=%s)", path, columns)
	for _, s := range []string{
		"CREATE TEMP TABLE everything AS SELECT *, " + smokeVerdict + " AS verdict FROM " + source,
		"CREATE TEMP TABLE judged AS SELECT DISTINCT ON (id) * FROM everything",
	} {
		if _, err := db.Exec(s); err != nil {
			return nil, err
		}
	}
	rows, err := db.Query(`SELECT 'rows', count(*) FROM judged
		UNION ALL SELECT 'copies', (SELECT count(*) FROM everything) - (SELECT count(*) FROM judged)
		UNION ALL SELECT 'accounts', count(DISTINCT userId) FROM judged
		UNION ALL SELECT 'apps', count(DISTINCT appId) FROM judged
		UNION ALL SELECT 'legacy', count(*) FROM judged WHERE clientAppUsed IN ('IMAP4', 'Authenticated SMTP')
		UNION ALL SELECT 'aobo', count(*) FROM judged WHERE crossTenantAccessType = 'serviceProvider'
		UNION ALL SELECT 'completed prompts', count(DISTINCT i.id) FROM judged i JOIN judged o ON i.correlationId = o.correlationId AND i.userId = o.userId
			AND i.verdict = 'interrupted' AND o.status.errorCode = 0 AND o.createdDateTime BETWEEN i.createdDateTime AND i.createdDateTime + INTERVAL 15 MINUTE
		UNION ALL SELECT verdict, count(*) FROM judged GROUP BY ALL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprint(name, " ", n))
	}
	return list, rows.Err()
}
