package anchor

import (
	"bytes"
	"context"
	"crypto/md5" // the protocol wants it of a request with a lock
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// How firmly S3 Object Lock keeps an object.
const (
	S3Compliance = "compliance" // nobody can shorten it
	S3Governance = "governance" // who has the right to can lift it
)

// S3Key is who asks.
type S3Key struct {
	ID      string
	Secret  secret.Text
	Session secret.Text // of temporary credentials; may be empty
}

// NewS3 names a bucket of an S3 store with Object Lock, and perhaps a prefix in it:
// https://s3.eu-central-1.amazonaws.com/bucket/prefix. key is asked each time.
// With path the bucket is a path of the host, as most stores of one's own have it.
func NewS3(p Place, region string, path bool, key func() (S3Key, error)) (*Objects, error) {
	u, err := remote("bucket", p.URL)
	if err != nil {
		return nil, err
	}
	bucket, dir, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if bucket == "" || strings.Contains(u.Path, "//") {
		return nil, problem.New(problem.Usage, "the address of the bucket has no bucket").WithHint("https://s3.eu-central-1.amazonaws.com/bucket/prefix")
	}
	if p.Mode != S3Compliance && p.Mode != S3Governance {
		return nil, problem.New(problem.Usage, "%.40q is not a mode of S3 Object Lock", p.Mode).WithHint("%s or %s", S3Compliance, S3Governance)
	}
	if region == "" {
		return nil, problem.New(problem.Usage, "the bucket has no region").WithHint("eu-central-1; stores of one's own mostly say us-east-1")
	}
	o := &Objects{name: "s3:" + strings.TrimRight(u.String(), "/"), place: p, strong: S3Compliance}
	if dir != "" {
		o.dir = dir + "/"
	}
	o.place.Transport = p.transport()
	o.open = func() (store, error) { return openS3(o, u, bucket, region, path, key) }
	return o, nil
}

func openS3(o *Objects, u *url.URL, bucket, region string, path bool, key func() (S3Key, error)) (store, error) {
	k, err := key()
	if err != nil {
		return nil, err
	}
	opts := &minio.Options{Secure: u.Scheme == "https", Transport: o.place.Transport, Region: region, MaxRetries: 2,
		Creds: credentials.NewStaticV4(k.ID, k.Secret.Reveal(), k.Session.Reveal())}
	if path {
		opts.BucketLookup = minio.BucketLookupPath
	}
	c, err := minio.New(u.Host, opts)
	if err != nil {
		return nil, problem.New(problem.BadInput, "the address or credential of %s cannot be used", o.name)
	}
	return &s3{o, minio.Core{Client: c}, bucket}, nil
}

type s3 struct {
	o      *Objects
	c      minio.Core
	bucket string
}

func (s *s3) fail(ctx context.Context, err error) error {
	return answered(ctx, s.o.name, minio.ToErrorResponse(err).StatusCode, err)
}

// look wants Object Lock on the bucket.
func (s *s3) look(ctx context.Context) (string, error) {
	lock, _, _, _, err := s.c.GetObjectLockConfig(ctx, s.bucket)
	if err != nil {
		if minio.ToErrorResponse(err).Code == "ObjectLockConfigurationNotFoundError" {
			return "has no Object Lock on its bucket", nil
		}
		if minio.ToErrorResponse(err).StatusCode == http.StatusForbidden {
			return "", nil // who may not look: what is put is looked at
		}
		return "", s.fail(ctx, err)
	}
	if lock != "Enabled" {
		return "has no Object Lock on its bucket", nil
	}
	return "", nil
}

func (s *s3) list(ctx context.Context, page int, each func(object) bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for i := range s.c.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.o.dir, Recursive: true, WithVersions: true, MaxKeys: page}) {
		if i.Err != nil {
			return s.fail(ctx, i.Err)
		}
		ob := object{name: strings.TrimPrefix(i.Key, s.o.dir), version: i.VersionID, size: i.Size, current: i.IsLatest, marker: i.IsDeleteMarker}
		if ob.name == "" { // the folder itself
			continue
		}
		if !each(ob) {
			return nil
		}
	}
	return nil
}

func (s *s3) get(ctx context.Context, ob object) (c content, err error) {
	body, _, h, err := s.c.GetObject(ctx, s.bucket, s.o.dir+ob.name, minio.GetObjectOptions{VersionID: ob.version})
	if err != nil {
		return c, s.fail(ctx, err)
	}
	defer body.Close()
	if err := bounded(&c, body); err != nil {
		return c, s.fail(ctx, err)
	}
	if until, err := time.Parse(time.RFC3339, h.Get("X-Amz-Object-Lock-Retain-Until-Date")); err == nil {
		c.mode, c.until = strings.ToLower(h.Get("X-Amz-Object-Lock-Mode")), until
		return c, nil
	}
	// Not every store says it beside the object, nor to who may read it only.
	mode, until, err := s.c.GetObjectRetention(ctx, s.bucket, s.o.dir+ob.name, ob.version)
	if status := minio.ToErrorResponse(err).StatusCode; err != nil && status != http.StatusNotFound && status != http.StatusBadRequest {
		return c, problem.New(problem.BadInput, "the retention of an object cannot be read: %s", words(s.fail(ctx, err)))
	}
	if err == nil && mode != nil && until != nil {
		c.mode, c.until = strings.ToLower(mode.String()), *until
	}
	return c, nil
}

func (s *s3) put(ctx context.Context, name string, body []byte, until time.Time) error {
	opts := minio.PutObjectOptions{ContentType: "text/plain; charset=utf-8", Mode: minio.Compliance, RetainUntilDate: until,
		DisableMultipart: true, DisableContentSha256: true} // the sum below is signed, in one piece
	if s.o.place.Mode == S3Governance {
		opts.Mode = minio.Governance
	}
	opts.SetMatchETagExcept("*")
	sum, sum256 := md5.Sum(body), sha256.Sum256(body)
	_, err := s.c.PutObject(ctx, s.bucket, s.o.dir+name, bytes.NewReader(body), int64(len(body)),
		base64.StdEncoding.EncodeToString(sum[:]), hex.EncodeToString(sum256[:]), opts)
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).StatusCode {
	case http.StatusConflict, http.StatusPreconditionFailed:
		return errThere
	}
	return s.fail(ctx, err)
}
