package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// The stores that the trail's anchors are tried against. They are no part of the
// cloud, so by names, where every other host is refused, nothing is tried.
const (
	minioServer = "MinIO server"
	azurite     = "Azurite"
	// minioModule is built on the first run.
	minioModule  = "github.com/minio/minio"
	minioVersion = "v0.0.0-20260212201848-7aac2a2c5b7c"
)

// store enters what a store is for into the table, and says whether it can be
// tried this way: by names no other host is reached, and the other way tries it.
func store(t *testing.T, name, what string) bool {
	t.Helper()
	if cloud.way == byNames {
		note(name, what, apart)
		return false
	}
	shows(t, name, what)
	return true
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// server runs a store until the test ends, or what it gives is called.
func server(t *testing.T, address string, c *exec.Cmd) (stop func()) {
	t.Helper()
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		_ = c.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = c.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = c.Process.Kill()
			<-done
		}
	}
	t.Cleanup(stop)
	for until := time.Now().Add(60 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return stop
		}
		if time.Now().After(until) {
			t.Fatalf("%s does not answer: %s", c.Path, said.String())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// minioBinary builds the server, which is no part of any module here.
func minioBinary(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "partnerguard-conformance", minioVersion)
	bin := filepath.Join(dir, "minio")
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	c := exec.Command("go", "install", minioModule+"@"+minioVersion)
	c.Dir, c.Env = t.TempDir(), append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		missing(t, minioServer)
	}
	return bin
}

// anchored is an installation whose trail has one anchor.
type anchored struct {
	*guarded
	settings string
}

func anchoredAt(t *testing.T, secret, anchor string) *anchored {
	t.Helper()
	a := &anchored{guarded: installation(t)}
	a.settings = filepath.Join(a.dir, "settings.yaml")
	file := filepath.Join(a.dir, "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.set(strings.ReplaceAll(anchor, "SECRET", "file:"+file))
	return a
}

func (a *anchored) set(anchor string) {
	a.t.Helper()
	if err := os.WriteFile(a.settings, []byte("anchors:\n  - "+anchor+"\n"), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// trail runs a command of the trail and wants an exit code and words of what it
// prints, on either stream.
func (a *anchored) trail(command string, code int, words string) string {
	a.t.Helper()
	before := a.said.Len()
	_, got := a.run("", "trail", command, "--config", a.settings)
	said := a.said.String()[before:]
	if got != code || !strings.Contains(said, words) {
		a.t.Fatalf("trail %s: exit code %d, want %d and %q:\n%s", command, got, code, words, said)
	}
	return said
}

// older keeps the database as it is now, to be put back later.
func (a *anchored) older() (back func()) {
	a.t.Helper()
	kept := filepath.Join(a.dir, "kept")
	data := filepath.Join(a.dir, "data")
	if err := os.CopyFS(kept, os.DirFS(data)); err != nil {
		a.t.Fatal(err)
	}
	return func() {
		a.t.Helper()
		if err := os.RemoveAll(data); err != nil {
			a.t.Fatal(err)
		}
		if err := os.CopyFS(data, os.DirFS(kept)); err != nil {
			a.t.Fatal(err)
		}
	}
}

// goesThrough is what every store is for: it takes checkpoints, shows them, and
// tells of an older database.
func (a *anchored) goesThrough() {
	a.t.Helper()
	a.trail("anchor", 0, "anchored")
	back := a.older()
	a.must("vault", "rotate", "--config", a.settings)
	a.trail("anchor", 0, "anchored")
	a.trail("status", 0, "anchored")
	a.trail("verify", 0, "2 checkpoints")
	back()
	a.trail("verify", 3, "its end was cut off")
	a.trail("anchor", 3, "its end was cut off")
}

// The S3 anchor against a server with Object Lock.
func TestAnchorS3(t *testing.T) {
	if !store(t, minioServer, "checkpoints kept by Object Lock; a bucket without is refused by name; a deletion and an older database are told") {
		return
	}
	address := freePort(t)
	c := exec.Command(minioBinary(t), "server", "--quiet", "--address", address, "--console-address", freePort(t), t.TempDir())
	const id, key = "conformance", "conformance-secret-key"
	c.Env = append(os.Environ(), "MINIO_ROOT_USER="+id, "MINIO_ROOT_PASSWORD="+key, "MINIO_UPDATE=off", "MINIO_CALLHOME_ENABLE=off")
	server(t, address, c)
	admin, err := minio.New(address, &minio.Options{Region: "us-east-1", Creds: credentials.NewStaticV4(id, key, "")})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for bucket, lock := range map[string]bool{"locked": true, "open": false} {
		for until := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
			err := admin.MakeBucket(ctx, bucket, minio.MakeBucketOptions{ObjectLocking: lock})
			if err == nil {
				break
			}
			if time.Now().After(until) {
				t.Fatal(err)
			}
		}
	}
	anchor := "{s3: 'http://" + address + "/BUCKET/a/b', region: us-east-1, pathStyle: true, accessKey: " + id + ", secret: 'SECRET', mode: MODE, retain: 48h}"
	at := func(bucket, mode, secret string) *anchored {
		return anchoredAt(t, secret, strings.NewReplacer("BUCKET", bucket, "MODE", mode).Replace(anchor))
	}
	at("open", "compliance", key).trail("anchor", 1, "no Object Lock on its bucket")
	if said := at("locked", "compliance", "wrong-"+key).trail("anchor", 1, "does not let these credentials"); strings.Contains(said, "wrong-") {
		t.Errorf("the key is in %s", said)
	}
	a := at("locked", "compliance", key)
	a.goesThrough()
	n := 0
	for o := range admin.ListObjectsIter(ctx, "locked", minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		n++
		if admin.RemoveObject(ctx, "locked", o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID, GovernanceBypass: true}) == nil {
			t.Errorf("%s could be deleted", o.Key)
		}
	}
	if n != 2 {
		t.Errorf("%d objects", n)
	}
	b := anchoredAt(t, key, strings.NewReplacer("BUCKET/a/b", "locked/c", "MODE", "governance").Replace(anchor))
	b.trail("anchor", 0, "anchored")
	b.trail("verify", 0, "1 checkpoint,")
	for o := range admin.ListObjectsIter(ctx, "locked", minio.ListObjectsOptions{Prefix: "c/", Recursive: true}) {
		if err := admin.RemoveObject(ctx, "locked", o.Key, minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	b.trail("verify", 0, "was deleted, and this version of it stands")
}

// The anchor of Azure Blob Storage against Microsoft's emulator. It has no
// immutability: that this is told, and the rest of the protocol, is what is tried.
// For the rest the container is marked, in the emulator's own file, as one with a
// policy.
func TestAnchorAzureBlob(t *testing.T) {
	if !store(t, azurite, "a container that keeps nothing is refused by name; marked as kept: checkpoints by key and by signature; an older database is told") {
		return
	}
	dir, err := filepath.Abs(filepath.Join("node", "azurite"))
	if err != nil {
		t.Fatal(err)
	}
	installedIn(t, dir)
	address, files := freePort(t), t.TempDir()
	_, port, _ := net.SplitHostPort(address)
	account, key := "conformance", base64.StdEncoding.EncodeToString([]byte("conformance account key of no use"))
	start := func() func() {
		c := exec.Command("node", filepath.Join(dir, "node_modules", "azurite", "dist", "src", "blob", "main.js"), "--blobHost", "127.0.0.1", "--blobPort",
			port,
			"--location", files, "--silent", "--disableTelemetry", "--skipApiVersionCheck")
		c.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+account+":"+key)
		return server(t, address, c)
	}
	stop := start()
	u := "http://" + address + "/" + account + "/checkpoints"
	shared, err := container.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := container.NewClientWithSharedKeyCredential(u, shared, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Create(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	at := func(prefix, mode, secret string) *anchored {
		return anchoredAt(t, secret, fmt.Sprintf("{azureBlob: '%s/%s', secret: 'SECRET', mode: %s, retain: 48h}", u, prefix, mode))
	}
	whole := "AccountName=" + account + ";AccountKey=" + key + ";BlobEndpoint=http://" + address + "/" + account
	at("x", "locked", whole).trail("anchor", 1, "no version-level immutability support")
	at("x", "container", whole).trail("anchor", 1, "no immutability policy on its container")
	wrong := base64.StdEncoding.EncodeToString([]byte("another key of no use"))
	if said := at("x", "locked", strings.Replace(whole, key, wrong, 1)).trail("anchor", 1, "azureBlob"); strings.Contains(said, wrong) {
		t.Errorf("the key is in %s", said)
	}
	stop()
	file := filepath.Join(files, "__azurite_db_blob__.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	marked := bytes.ReplaceAll(raw, []byte(`"hasImmutabilityPolicy":false`), []byte(`"hasImmutabilityPolicy":true`))
	if bytes.Equal(raw, marked) {
		t.Fatal("the emulator's file has no mark of a policy")
	}
	if err := os.WriteFile(file, marked, 0o600); err != nil {
		t.Fatal(err)
	}
	start()
	at("a/b", "container", whole).goesThrough()
	signed, err := admin.GetSASURL(sas.ContainerPermissions{Read: true, Create: true, List: true, Write: true}, time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(signed, "?")
	b := anchoredAt(t, whole, fmt.Sprintf("{azureBlob: '%s/c', secret: 'SECRET', mode: container, retain: 48h}", u))
	b.trail("anchor", 0, "anchored")
	if err := os.WriteFile(filepath.Join(b.dir, "secret"), []byte(query+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A signature of a container may not look at its properties, in Azure as here;
	// without looking the retention is read from what was put, and here is none.
	b.set(fmt.Sprintf("{azureBlob: '%s/c', secret: 'file:%s', mode: locked, retain: 48h}", u, filepath.Join(b.dir, "secret")))
	said := b.trail("verify", 0, "1 checkpoint,") + b.trail("verify", 0, "no retention stands on it")
	b.must("vault", "rotate", "--config", b.settings)
	said += b.trail("anchor", 1, "no retention stands on it") + b.trail("verify", 0, "2 checkpoints")
	if strings.Contains(said, "sig=") {
		t.Errorf("the signature is in %s", said)
	}
}
