package anchor

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// How firmly Azure Blob Storage keeps a blob.
const (
	AzureLocked    = "locked"    // nobody can shorten it
	AzureUnlocked  = "unlocked"  // who has the right to can lift it
	AzureContainer = "container" // by the container's own policy
)

// NewAzureBlob names a container of Azure Blob Storage, and perhaps a prefix in
// it: https://account.blob.core.windows.net/container/prefix. Its secret is a
// shared access signature or a connection string; without one it is a token of
// cred.
func NewAzureBlob(p Place, cred func() (azcore.TokenCredential, error)) (*Objects, error) {
	u, err := remote("container", p.URL)
	if err != nil {
		return nil, err
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	base, account := *u, strings.SplitN(u.Hostname(), ".", 2)[0]
	n := 1
	if mailer.Loopback(u.Hostname()) { // an emulator: the account is in the path
		account, n = segments[0], 2
	}
	if len(segments) < n || segments[n-1] == "" || strings.Contains(u.Path, "//") {
		return nil, problem.New(problem.Usage, "the address of the container has no container").
			WithHint("https://account.blob.core.windows.net/container/prefix")
	}
	switch p.Mode {
	case AzureLocked, AzureUnlocked, AzureContainer:
	default:
		return nil, problem.New(problem.Usage, "%.40q is not a mode of Azure Blob Storage", p.Mode).
			WithHint("%s, %s or %s", AzureLocked, AzureUnlocked, AzureContainer)
	}
	base.Path = "/" + strings.Join(segments[:n], "/")
	o := &Objects{name: "azureBlob:" + strings.TrimRight(u.String(), "/"), place: p, blind: p.Mode == AzureContainer, strong: AzureLocked}
	if len(segments) > n {
		o.dir = strings.Join(segments[n:], "/") + "/"
	}
	o.place.Transport = p.transport()
	o.open = func() (store, error) { return openAzure(o, base, account, cred) }
	return o, nil
}

func openAzure(o *Objects, base url.URL, account string, cred func() (azcore.TokenCredential, error)) (store, error) {
	opts := &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: careful(&http.Client{Transport: o.place.Transport}),
		Retry:     policy.RetryOptions{MaxRetries: 1, TryTimeout: 10 * time.Second, RetryDelay: 300 * time.Millisecond, MaxRetryDelay: 2 * time.Second},
		Telemetry: policy.TelemetryOptions{ApplicationID: "partnerguard"},
	}}
	refuse := problem.New(problem.BadInput, "the credential of %s cannot be used", o.name)
	var c *container.Client
	var err error
	if o.place.Secret == nil {
		var t azcore.TokenCredential
		if t, err = cred(); err == nil {
			c, err = container.NewClient(base.String(), t, opts)
		}
		if err != nil {
			return nil, refuse.WithHint("give a secret, or run where a managed identity is")
		}
		return &azure{o, c}, nil
	}
	s, err := o.place.Secret()
	if err != nil {
		return nil, err
	}
	sas, key, ok := azureSecret(s, account, base)
	switch {
	case !ok:
		return nil, refuse.WithHint("its secret is a shared access signature or a connection string, of this account")
	case sas != "":
		base.RawQuery = sas
		c, err = container.NewClientWithNoCredential(base.String(), opts)
	default:
		var shared *container.SharedKeyCredential
		if shared, err = container.NewSharedKeyCredential(account, key); err == nil {
			c, err = container.NewClientWithSharedKeyCredential(base.String(), shared, opts)
		}
	}
	if err != nil {
		return nil, refuse
	}
	return &azure{o, c}, nil
}

// azureSecret reads a shared access signature or a connection string. The address
// is the setting's always: where the string has one it must be the same.
func azureSecret(s secret.Text, account string, base url.URL) (sas, key string, ok bool) {
	text := strings.TrimPrefix(strings.TrimSpace(s.Reveal()), "?")
	if q, err := url.ParseQuery(text); err == nil && q.Get("sig") != "" && q.Get("sv") != "" && !strings.ContainsAny(text, "; \r\n") {
		return text, "", true
	}
	parts := map[string]string{}
	for p := range strings.SplitSeq(strings.Trim(text, ";"), ";") {
		name, value, has := strings.Cut(p, "=")
		if _, twice := parts[name]; !has || twice {
			return "", "", false
		}
		parts[name] = value
	}
	if a := parts["AccountName"]; a != "" && a != account {
		return "", "", false
	}
	if e := parts["BlobEndpoint"]; e != "" {
		u, err := url.Parse(e)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			return "", "", false
		}
	}
	if sas := strings.TrimPrefix(parts["SharedAccessSignature"], "?"); sas != "" {
		return sas, "", true
	}
	return "", parts["AccountKey"], parts["AccountName"] != "" && parts["AccountKey"] != ""
}

type azure struct {
	o *Objects
	c *container.Client
}

func (a *azure) fail(ctx context.Context, err error) error {
	status := 0
	if r, ok := errors.AsType[*azcore.ResponseError](err); ok {
		status = r.StatusCode
	}
	return answered(ctx, a.o.name, status, err)
}

// look wants version-level immutability support, or the container's own policy.
func (a *azure) look(ctx context.Context) (string, error) {
	p, err := a.c.GetProperties(ctx, nil)
	if r, ok := errors.AsType[*azcore.ResponseError](err); ok && r.StatusCode == http.StatusForbidden && !a.o.blind {
		return "", nil // a signature of the container may not look; what is put is looked at
	}
	if err != nil {
		return "", a.fail(ctx, err)
	}
	switch {
	case a.o.blind && !is(p.HasImmutabilityPolicy):
		return "has no immutability policy on its container", nil
	case !a.o.blind && !is(p.IsImmutableStorageWithVersioningEnabled):
		return "has no version-level immutability support", nil
	}
	return "", nil
}

func is(b *bool) bool { return b != nil && *b }

func (a *azure) list(ctx context.Context, page int, each func(object) bool) error {
	pager := a.c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: to.Ptr(a.o.dir), MaxResults: to.Ptr(int32(page)),
		Include: container.ListBlobsInclude{Versions: !a.o.blind}})
	for pager.More() {
		res, err := pager.NextPage(ctx)
		if err != nil {
			return a.fail(ctx, err)
		}
		if res.Segment == nil {
			continue
		}
		for _, b := range res.Segment.BlobItems {
			if b == nil || b.Name == nil || b.Properties == nil {
				return problem.New(problem.BadInput, "%s lists what has no name", a.o.name)
			}
			ob := object{name: strings.TrimPrefix(*b.Name, a.o.dir), size: -1, current: a.o.blind || is(b.IsCurrentVersion) || b.VersionID == nil}
			if b.VersionID != nil {
				ob.version = *b.VersionID
			}
			if b.Properties.ContentLength != nil {
				ob.size = *b.Properties.ContentLength
			}
			if ob.name == "" { // the folder itself
				continue
			}
			if !each(ob) {
				return nil
			}
		}
	}
	return nil
}

func (a *azure) get(ctx context.Context, ob object) (c content, err error) {
	b := a.c.NewBlobClient(a.o.dir + ob.name)
	if ob.version != "" {
		if b, err = b.WithVersionID(ob.version); err != nil {
			return c, problem.New(problem.BadInput, "%s lists a version that is none", a.o.name)
		}
	}
	res, err := b.DownloadStream(ctx, nil)
	if err != nil {
		return c, a.fail(ctx, err)
	}
	defer res.Body.Close()
	if err := bounded(&c, res.Body); err != nil {
		return c, a.fail(ctx, err)
	}
	if res.ImmutabilityPolicyMode != nil && res.ImmutabilityPolicyExpiresOn != nil {
		c.mode, c.until = strings.ToLower(string(*res.ImmutabilityPolicyMode)), *res.ImmutabilityPolicyExpiresOn
	}
	return c, nil
}

func (a *azure) put(ctx context.Context, name string, body []byte, until time.Time) error {
	opts := &blockblob.UploadOptions{
		HTTPHeaders:      &blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain; charset=utf-8")},
		AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}},
	}
	switch a.o.place.Mode {
	case AzureLocked:
		opts.ImmutabilityPolicyMode = to.Ptr(blob.ImmutabilityPolicySettingLocked)
	case AzureUnlocked:
		opts.ImmutabilityPolicyMode = to.Ptr(blob.ImmutabilityPolicySettingUnlocked)
	}
	if opts.ImmutabilityPolicyMode != nil {
		opts.ImmutabilityPolicyExpiryTime = to.Ptr(until.UTC().Truncate(time.Second))
	}
	_, err := a.c.NewBlockBlobClient(a.o.dir+name).Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), opts)
	if r, ok := errors.AsType[*azcore.ResponseError](err); ok && (r.StatusCode == http.StatusConflict || r.StatusCode == http.StatusPreconditionFailed) {
		return errThere
	}
	if err != nil {
		return a.fail(ctx, err)
	}
	return nil
}
