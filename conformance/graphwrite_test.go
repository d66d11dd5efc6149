package conformance

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
)

// fixed is a credential that holds a token already.
type fixed string

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// giveCert gives an app a certificate beside those it has, as an administrator.
func giveCert(t *testing.T, appID string, cert *x509.Certificate) {
	t.Helper()
	g, ctx := graphClient(t, fixed(adminToken(t))), context.Background()
	one := g.ApplicationsWithAppId(&appID)
	had, err := one.Get(ctx, nil)
	if err != nil {
		t.Fatal(explain(err))
	}
	key := models.NewKeyCredential()
	key.SetTypeEscaped(ptr("AsymmetricX509Cert"))
	key.SetUsage(ptr("Verify"))
	key.SetDisplayName(ptr("conformance"))
	key.SetKey(cert.Raw)
	change := models.NewApplication()
	change.SetKeyCredentials(append(had.GetKeyCredentials(), key))
	if _, err := one.Patch(ctx, change, nil); err != nil {
		t.Fatalf("adding the certificate: %v", explain(err))
	}
	now, err := one.Get(ctx, nil)
	if err != nil || len(now.GetKeyCredentials()) != len(had.GetKeyCredentials())+1 {
		t.Fatalf("the certificate is not there: %v", explain(err))
	}
}

func gone(err error) bool {
	e, ok := errors.AsType[*odataerrors.ODataError](err)
	return ok && e.GetStatusCode() == http.StatusNotFound
}

// pace keeps to the one request a second that Conditional Access allows: a
// client must not count on a written body to survive a retry.
func pace() { time.Sleep(1100 * time.Millisecond) }

func TestGraphWrites(t *testing.T) {
	g, ctx := graphClient(t, fixed(adminToken(t))), context.Background()
	t.Run("location", func(t *testing.T) {
		shows(t, graphSDK, "a named location made, changed, read and deleted")
		n := models.NewIpNamedLocation()
		n.SetOdataType(ptr("#microsoft.graph.ipNamedLocation")) // the SDK leaves it out
		n.SetDisplayName(ptr("Conformance"))
		n.SetIsTrusted(ptr(false))
		net := models.NewIPv4CidrRange()
		net.SetCidrAddress(ptr("198.51.100.0/25"))
		n.SetIpRanges([]models.IpRangeable{net})
		pace()
		made, err := g.Identity().ConditionalAccess().NamedLocations().Post(ctx, n, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		one := g.Identity().ConditionalAccess().NamedLocations().ByNamedLocationId(text(made.GetId()))
		change := models.NewIpNamedLocation()
		change.SetOdataType(ptr("#microsoft.graph.ipNamedLocation"))
		change.SetIsTrusted(ptr(true))
		pace()
		if _, err := one.Patch(ctx, change, nil); err != nil {
			t.Error(explain(err))
		}
		read, err := one.Get(ctx, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		if ip, ok := read.(models.IpNamedLocationable); !ok || ip.GetIsTrusted() == nil || !*ip.GetIsTrusted() || len(ip.GetIpRanges()) != 1 {
			t.Errorf("%T", read)
		}
		// A trusted location cannot be deleted.
		change.SetIsTrusted(ptr(false))
		pace()
		if _, err := one.Patch(ctx, change, nil); err != nil {
			t.Error(explain(err))
		}
		pace()
		if err := one.Delete(ctx, nil); err != nil {
			t.Error(explain(err))
		}
		if _, err := one.Get(ctx, nil); !gone(err) {
			t.Errorf("after deletion: %v", explain(err))
		}
	})
	t.Run("policy", func(t *testing.T) {
		shows(t, graphSDK, "a Conditional Access policy in report-only made and deleted")
		u := models.NewConditionalAccessUsers()
		u.SetIncludeUsers([]string{"All"})
		a := models.NewConditionalAccessApplications()
		a.SetIncludeApplications([]string{"All"})
		c := models.NewConditionalAccessConditionSet()
		c.SetUsers(u)
		c.SetApplications(a)
		c.SetClientAppTypes([]models.ConditionalAccessClientApp{models.ALL_CONDITIONALACCESSCLIENTAPP})
		grant := models.NewConditionalAccessGrantControls()
		grant.SetOperator(ptr("OR"))
		grant.SetBuiltInControls([]models.ConditionalAccessGrantControl{models.MFA_CONDITIONALACCESSGRANTCONTROL})
		p := models.NewConditionalAccessPolicy()
		p.SetDisplayName(ptr("Conformance"))
		p.SetState(ptr(models.ENABLEDFORREPORTINGBUTNOTENFORCED_CONDITIONALACCESSPOLICYSTATE))
		p.SetConditions(c)
		p.SetGrantControls(grant)
		pace()
		made, err := g.Identity().ConditionalAccess().Policies().Post(ctx, p, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		if *made.GetState() != models.ENABLEDFORREPORTINGBUTNOTENFORCED_CONDITIONALACCESSPOLICYSTATE || !slices.Contains(made.GetGrantControls().
			GetBuiltInControls(), models.MFA_CONDITIONALACCESSGRANTCONTROL) {
			t.Errorf("made %v", made.GetState())
		}
		one := g.Identity().ConditionalAccess().Policies().ByConditionalAccessPolicyId(text(made.GetId()))
		pace()
		if err := one.Delete(ctx, nil); err != nil {
			t.Error(explain(err))
		}
		if _, err := one.Get(ctx, nil); !gone(err) {
			t.Errorf("after deletion: %v", explain(err))
		}
	})
	t.Run("group", func(t *testing.T) {
		shows(t, graphSDK, "a security group made, given a member, and deleted")
		n := models.NewGroup()
		n.SetDisplayName(ptr("Conformance"))
		n.SetMailNickname(ptr("conformance"))
		n.SetMailEnabled(ptr(false))
		n.SetSecurityEnabled(ptr(true))
		made, err := g.Groups().Post(ctx, n, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		one := g.Groups().ByGroupId(text(made.GetId()))
		u, err := g.Users().ByUserId(someone(t, "brian.walsh").upn).Get(ctx, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		ref := models.NewReferenceCreate()
		ref.SetOdataId(ptr(cloud.Graph + "/v1.0/directoryObjects/" + text(u.GetId())))
		if err := one.Members().Ref().Post(ctx, ref, nil); err != nil {
			t.Fatal(explain(err))
		}
		m, err := one.Members().Get(ctx, nil)
		if got := list(t, m, err); len(got) != 1 || text(got[0].GetId()) != text(u.GetId()) {
			t.Errorf("%d members", len(got))
		}
		if err := one.Delete(ctx, nil); err != nil {
			t.Error(explain(err))
		}
	})
	t.Run("batch", func(t *testing.T) {
		shows(t, graphSDK, "$batch: two answers and an error, by its batch request")
		b := core.NewBatchRequest(g.GetAdapter())
		add := func(path string) string {
			t.Helper()
			info, err := g.Users().ByUserId(path).ToGetRequestInformation(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			item, err := b.AddBatchRequestStep(*info)
			if err != nil {
				t.Fatal(err)
			}
			return *item.GetId()
		}
		ids := []string{add(someone(t, "mia.lindqvist").upn), add(someone(t, "ravi.menon").upn), add("nobody@contoso.com")}
		res, err := b.Send(ctx, g.GetAdapter())
		if err != nil {
			t.Fatal(explain(err))
		}
		for i, id := range ids {
			item := res.GetResponseById(id)
			if want := []int32{200, 200, 404}[i]; item == nil || item.GetStatus() == nil || *item.GetStatus() != want {
				t.Errorf("part %d: %v, want %d", i, item, want)
			}
		}
		u, err := core.GetBatchResponseById[models.Userable](res, ids[0], models.CreateUserFromDiscriminatorValue)
		if err != nil || text(u.GetUserPrincipalName()) != someone(t, "mia.lindqvist").upn {
			t.Errorf("part 0: %v", err)
		}
	})
}
