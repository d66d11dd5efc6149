package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/mapped"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

// work is what a measured process does.
func work(job string, args []string) error {
	switch job {
	case "fold":
		return folded(args)
	case "rehearse":
		return replayed(args[0])
	case "inflate":
		r, err := open(args[0])
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, 256<<10))
		return err
	case "duckcsv":
		return duckTable(args[0], args[1], args[2])
	case "duckdb":
		return duck(args[0], args[1], args[2], args[3])
	}
	return fmt.Errorf("no such job")
}

func open(path string) (io.ReadCloser, error) {
	if path == "-" {
		return os.Stdin, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasSuffix(path, ".gz"):
		return gzip.NewReader(bufio.NewReaderSize(f, 256<<10))
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return f, nil
}

// tempScratch is what the product gives the fold: a file that has no name.
type tempScratch struct{}

func (tempScratch) Create() (fold.File, error) {
	f, err := os.CreateTemp("", "partnerguard-scratch")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// folded judges a file: path, CSV file or "", budget in MB or "".
func folded(args []string) error {
	r, err := open(args[0])
	if err != nil {
		return err
	}
	defer r.Close()
	opt := fold.Options{Scratch: tempScratch{}}
	var out io.Writer
	if args[1] != "" {
		f, err := os.Create(args[1])
		if err != nil {
			return err
		}
		defer f.Close()
		opt.CSV, out = true, f
	}
	if len(args) > 2 && args[2] != "" {
		mb, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		opt.Budget = int64(mb) << 20
	}
	ctx := context.Background()
	f := fold.New(opt)
	if err := lines(ctx, r, args[0], f); err != nil {
		return err
	}
	s, err := f.Finish(ctx, out)
	if err != nil {
		return err
	}
	if s.Rows == 0 || s.Duplicates == 0 || len(s.Accounts) == 0 || s.Reasons[signin.ReasonPromptCompleted] == 0 {
		return fmt.Errorf("implausible: %d rows, %d duplicates, reasons %v", s.Rows, s.Duplicates, s.Reasons)
	}
	return nil
}

// lines reads as the product does: a plain file where the kernel keeps it, others ahead.
func lines(ctx context.Context, r io.Reader, path string, f *fold.Fold) error {
	l := read.Lines{Path: path, Decoded: filepath.Ext(path) != ".jsonl"}
	if file, ok := r.(*os.File); ok {
		if head := mapped.File(file); head != nil {
			l.Head, l.Release = head.Rest(), head.Release
			defer head.Close()
		}
	}
	_, err := read.ReadLines(ctx, r, l, f)
	return err
}

const columns = `{id: 'VARCHAR', createdDateTime: 'TIMESTAMP', userDisplayName: 'VARCHAR', userPrincipalName: 'VARCHAR', userId: 'VARCHAR',
	appId: 'VARCHAR', appDisplayName: 'VARCHAR', ipAddress: 'VARCHAR', clientAppUsed: 'VARCHAR', correlationId: 'VARCHAR',
	conditionalAccessStatus: 'VARCHAR', isInteractive: 'BOOLEAN', resourceDisplayName: 'VARCHAR', authenticationRequirement: 'VARCHAR',
	authenticationProtocol: 'VARCHAR', crossTenantAccessType: 'VARCHAR', userType: 'VARCHAR', servicePrincipalId: 'VARCHAR',
	status: 'STRUCT(errorCode INTEGER, failureReason VARCHAR, additionalDetails VARCHAR)', location: 'STRUCT(countryOrRegion VARCHAR)',
	appliedConditionalAccessPolicies: 'STRUCT(displayName VARCHAR, result VARCHAR)[]',
	authenticationDetails: 'STRUCT(authenticationMethod VARCHAR, authenticationMethodDetail VARCHAR, succeeded BOOLEAN, authenticationStepResultDetail VARCHAR, authenticationStepRequirement VARCHAR)[]'}`

const verdict = `CASE WHEN status.errorCode IN (50074, 50076, 50079, 50158) THEN 'interrupted' WHEN status.errorCode <> 0 THEN 'failed'
	WHEN len(list_filter(authenticationDetails, s -> s.succeeded AND s.authenticationStepRequirement = 'Multifactor authentication')) > 0 THEN 'challenged'
	WHEN contains(status.additionalDetails, 'satisfied by claim') THEN 'satisfied_by_claim'
	WHEN clientAppUsed IN ('IMAP4', 'Authenticated SMTP', 'POP3', 'Other clients') THEN 'not_challenged'
	WHEN authenticationRequirement = 'multiFactorAuthentication' THEN 'challenged'
	WHEN authenticationRequirement = 'singleFactorAuthentication' THEN 'not_challenged' ELSE 'unknown' END`

// duck does the work with the peer. "judge" reads, judges and counts; "full"
// also de-duplicates by id, joins prompts with their success and writes CSV.
func duck(mode, path, csv, threads string) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	source := fmt.Sprintf("read_json('%s', format='newline_delimited', columns=%s)", path, columns)
	statements := []string{"SET threads=" + threads}
	if mode == "judge" {
		statements = append(statements, fmt.Sprintf(`CREATE TABLE result AS SELECT %s AS verdict, count(*) AS n, count(userPrincipalName), count(resourceDisplayName),
			max(createdDateTime), count(location.countryOrRegion), count(ipAddress), count(len(appliedConditionalAccessPolicies)), count(conditionalAccessStatus), count(id)
			FROM %s GROUP BY ALL`, verdict, source))
	} else {
		statements = append(statements, fmt.Sprintf(`CREATE TEMP TABLE judged AS SELECT DISTINCT ON (id) id, correlationId, userId, userPrincipalName, userDisplayName,
			createdDateTime, resourceDisplayName, status.errorCode = 0 AS loginSucceeded, status.failureReason AS failureReason,
			authenticationRequirement = 'multiFactorAuthentication' AS mfaRequired, authenticationDetails[-1].authenticationMethod AS mfaAuthMethod,
			authenticationDetails[-1].authenticationMethodDetail AS mfaAuthDetail, status.additionalDetails AS mfaResult,
			array_to_string(list_transform(list_filter(appliedConditionalAccessPolicies, p -> p.result <> 'notApplied'), p -> p.displayName || ': ' || p.result), '; ') AS policies,
			conditionalAccessStatus, %s AS verdict, appDisplayName, clientAppUsed, crossTenantAccessType = 'serviceProvider' AS isAobo, ipAddress,
			location.countryOrRegion AS country FROM %s`, verdict, source),
			fmt.Sprintf(`COPY (SELECT j.* EXCLUDE (correlationId, userId), s.correlationId IS NOT NULL AS completed FROM judged j LEFT JOIN
				(SELECT DISTINCT i.id, i.correlationId FROM judged i JOIN judged o ON i.correlationId = o.correlationId AND i.userId = o.userId
				 AND i.verdict = 'interrupted' AND o.loginSucceeded AND o.createdDateTime BETWEEN i.createdDateTime AND i.createdDateTime + INTERVAL 15 MINUTE) s
				ON s.id = j.id) TO '%s' (HEADER, DELIMITER ',')`, csv),
			`CREATE TABLE result AS SELECT verdict, count(*) FROM judged GROUP BY ALL`,
			`CREATE TABLE accounts AS SELECT userId, verdict, count(*), max(createdDateTime) FROM judged GROUP BY ALL`)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			return err
		}
	}
	return nil
}
