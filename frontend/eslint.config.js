import pluginVue from "eslint-plugin-vue";
import tseslint from "typescript-eslint";

const cjk = "/[\\u3000-\\u303f\\u3400-\\u9fff\\uff00-\\uffef]/";

export default tseslint.config(
  { ignores: ["node_modules", "src/shared/generated", "public"] },
  ...tseslint.configs.strict,
  ...pluginVue.configs["flat/recommended"],
  {
    files: ["**/*.ts", "**/*.vue"],
    languageOptions: { parserOptions: { parser: tseslint.parser, sourceType: "module" } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
      eqeqeq: "error",
      "vue/block-order": ["error", { order: ["script", "template", "style"] }],
      "vue/component-api-style": ["error", ["script-setup"]],
      "vue/define-macros-order": "error",
      "vue/enforce-style-attribute": ["error", { allow: ["scoped"] }],
      "vue/multi-word-component-names": "off",
      "vue/no-v-html": "error",
      // A style attribute in a template is refused by the content policy.
      "vue/no-static-inline-styles": "error",
      "vue/require-default-prop": "off",
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": ["error", { html: { void: "always", normal: "always", component: "always" } }],
      "vue/html-closing-bracket-newline": "off",
      "vue/html-indent": "off",
      "vue/multiline-html-element-content-newline": "off",
    },
  },
  {
    files: ["src/**/*.ts", "src/**/*.vue"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: `Literal[value=${cjk}]`, message: "Words belong to shared/i18n." },
        { selector: `TemplateElement[value.raw=${cjk}]`, message: "Words belong to shared/i18n." },
      ],
      "vue/no-bare-strings-in-template": ["error", { allowlist: ["·", "…", "¥", "%", "/", "+", "−", "–", "—", ":", "：", "，", "×", "0", "••••"] }],
    },
  },
  // The capitals of a cheque are the domain's signs, the same in every language.
  { files: ["src/shared/money.ts"], rules: { "no-restricted-syntax": "off" } },
  // The page of components is for developers and built into nothing.
  { files: ["src/app/kit/**"], rules: { "vue/no-bare-strings-in-template": "off" } },
  { files: ["scripts/**", "*.config.*"], rules: { "no-console": "off" } },
  { files: ["src/app/sw.js"], languageOptions: { globals: { self: "readonly", caches: "readonly", navigator: "readonly" } } },
);
