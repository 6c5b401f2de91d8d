// @skill issues
// @description Lists the open issues of a repository
// @secrets GH_TOKEN
// @network api.github.com
// @timeout 30
const reply = await fetch(`https://api.github.com/repos/${Deno.env.get("REPO")}/issues`, {
  headers: { Authorization: `Bearer ${Deno.env.get("GH_TOKEN")}` },
});
for (const issue of await reply.json()) console.log(`#${issue.number} ${issue.title}`);
