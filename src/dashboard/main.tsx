import { render } from 'preact';
import { resume } from './api/session.ts';
import { App } from './app.tsx';
import { applyTheme } from './shell/theme.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/table.css';
import './styles/forms.css';
import './styles/pages.css';

applyTheme();
void resume();
render(<App />, document.getElementById('app')!);
